//! `mainstay plan`: what would change in the kernel.

use mainstay_api::Plan;

use crate::exit::{Error, Exit};
use crate::output;

/// Shows a plan.
pub(crate) fn show(plan: &Plan, json: bool) -> Result<Exit, Error> {
    if json {
        output::print_json(plan)?;
    } else {
        output::print(&render(plan))?;
    }
    Ok(Exit::Good)
}

fn render(plan: &Plan) -> String {
    if plan.steps.is_empty() {
        return "nothing would change\n".to_owned();
    }
    let lines = plan.steps.iter().map(|step| format!("{} {}\n", step.verb, step.object));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use mainstay_api::PlanStep;

    use super::*;

    #[test]
    fn a_plan_is_one_step_a_line() {
        let step = PlanStep { verb: "add".into(), object: "192.0.2.1/24 on eth0".into() };
        assert_eq!(render(&Plan { steps: vec![step] }), "add 192.0.2.1/24 on eth0\n");
        assert_eq!(render(&Plan::default()), "nothing would change\n");
    }
}
