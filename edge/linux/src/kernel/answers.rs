//! Steps on their way: sent in batches, answered in order.

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

use mainstay_base::{InterfaceAddress, LinkIndex};
use mainstay_plan::{AddressOptions, AddressStep, Change, Filter, PresentAddress, Refusal, Step};
use netlink_packet_core::{NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;

use super::pending::{Awaited, Pending};
use super::{Kernel, News, encode};
use crate::netlink::{Read, refusal_of, unanswered};

/// Requests sent at once: their answers and notifications fit any receive buffer.
const BATCH: usize = 64;

/// How long the answers to one batch may take.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);

impl Kernel {
    /// Carries steps out in order and tells, in the kernel's order, all changes and answers until
    /// every step is answered. A step that the kernel leaves unanswered counts as refused. An IPv6 address that is
    /// not in use yet is told of by a later [`Kernel::drain`]; to ask for it again does nothing until then.
    pub fn apply(&mut self, steps: &[Step]) -> Vec<News> {
        let mut news = Vec::new();
        for run in steps.chunk_by(|one, next| is_batched(one) && is_batched(next)) {
            match run {
                [Step::SetFilter(filter)] => self.set_filter(filter, &mut news),
                [step @ Step::AddLink { name, wanted }] => {
                    let outcome = self.make_link(name, wanted, &mut news);
                    news.push(told(step, outcome));
                }
                [step @ Step::RemoveLink { link, .. }] => {
                    let outcome = self.remove_link(*link, &mut news);
                    news.push(told(step, outcome));
                }
                [step @ Step::SetPromotion { link, name, on }] => {
                    let outcome = self.set_promotion(*link, name, *on, &mut news);
                    news.push(told(step, outcome));
                }
                [step] if is_routing(step) => {
                    let outcome = self.route(step, &mut news);
                    news.push(told(step, outcome));
                }
                run => self.apply_batches(run, &mut news),
            }
        }
        if let Err(error) = self.count_routes(&mut news) {
            // The next reading tells; until then a route may be missing.
            self.routes_doubtful = true;
            debug_assert!(error.raw_os_error() != Some(libc::EINVAL), "{error}");
        }
        news
    }

    fn set_filter(&mut self, filter: &Filter, news: &mut Vec<News>) {
        let step = Step::SetFilter(filter.clone());
        match self.firewall.set(filter) {
            Ok(present) => {
                let change = Change::Filter(present);
                self.mirror.apply(&change);
                news.extend([News::Changed(change), News::Applied(step)]);
            }
            Err(refusal) => news.push(News::Refused(step, refusal)),
        }
    }

    fn apply_batches(&mut self, steps: &[Step], news: &mut Vec<News>) {
        for batch in steps.chunks(BATCH) {
            let mut pending = Pending::default();
            if let Err(error) = self.carry_out(batch, &mut pending, news) {
                let refusal = refusal_of(&error);
                refuse(pending, &refusal, news);
            }
        }
    }

    /// Asks one thing and waits for the answer; changes are told as they come.
    pub(super) fn ask(
        &mut self,
        request: RouteNetlinkMessage,
        flags: u16,
        news: &mut Vec<News>,
    ) -> Result<(), Refusal> {
        let mut batch = Vec::new();
        let number = self.channel.append(&mut batch, request, NLM_F_ACK | flags);
        self.wait_for(number, &batch, news)
    }

    /// As [`Kernel::ask`], with a request that is composed already.
    pub(super) fn ask_composed(
        &mut self,
        kind: u16,
        flags: u16,
        payload: &[u8],
        news: &mut Vec<News>,
    ) -> Result<(), Refusal> {
        let mut batch = Vec::new();
        let flags = NLM_F_ACK | flags;
        let number = self.channel.append_composed(&mut batch, kind, flags, payload);
        self.wait_for(number, &batch, news)
    }

    fn wait_for(&mut self, number: u32, batch: &[u8], news: &mut Vec<News>) -> Result<(), Refusal> {
        let mut pending = Pending { asked: Some(number), ..Pending::default() };
        self.channel.send(batch).map_err(|error| refusal_of(&error))?;
        let until = Instant::now() + ANSWERS_WITHIN;
        loop {
            match self.channel.read().map_err(|error| refusal_of(&error))? {
                Read::Datagram(length) => self.take(length, &mut pending, news),
                Read::Overrun => {
                    // The kernel answers while it is asked: what is not there by now was lost.
                    let dump = self.tell_whole(news).map_err(|error| refusal_of(&error))?;
                    let mut answers = dump.answers.into_iter();
                    let answer = answers.find_map(|(to, answer)| (to == number).then_some(answer));
                    return answer.unwrap_or_else(|| Err(unanswered()));
                }
                Read::Empty => {
                    let left = until.saturating_duration_since(Instant::now());
                    let more = self.channel.wait(left).map_err(|error| refusal_of(&error))?;
                    if left.is_zero() || !more {
                        return Err(unanswered());
                    }
                }
            }
            if let Some(answer) = pending.answer.take() {
                return answer;
            }
        }
    }

    fn carry_out(
        &mut self,
        steps: &[Step],
        pending: &mut Pending,
        news: &mut Vec<News>,
    ) -> io::Result<()> {
        let batch = self.encode(steps, pending);
        if batch.is_empty() {
            return Ok(());
        }
        self.channel.send(&batch)?;
        let until = Instant::now() + ANSWERS_WITHIN;
        while !pending.steps.is_empty() {
            match self.channel.read()? {
                Read::Datagram(length) => self.take(length, pending, news),
                Read::Overrun => return self.answer_from_whole(pending, news),
                Read::Empty => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() || !self.channel.wait(left)? {
                        refuse(std::mem::take(pending), &unanswered(), news);
                    }
                }
            }
        }
        Ok(())
    }

    fn encode(&mut self, steps: &[Step], pending: &mut Pending) -> Vec<u8> {
        let mut batch = Vec::new();
        let mut ours = BTreeSet::new();
        for step in steps {
            let Some(wish) = step.on_address().filter(|_| !self.awaits(step)) else { continue };
            let held = wish.held();
            let there = self.mirror.addresses.get(&held);
            let (request, flags) = match wish {
                AddressStep::Add { link, key, options } => {
                    let is_ours = !ours.insert(held) || there.is_some_and(|present| present.ours);
                    // What others put there is never overwritten: the kernel refuses instead.
                    let flags = if is_ours { NLM_F_REPLACE } else { NLM_F_EXCL };
                    (encode::add(link, key.address, options, self.mark), NLM_F_CREATE | flags)
                }
                AddressStep::Remove { link, key } => {
                    (encode::remove(link, key.address, there.and_then(|p| p.options.peer)), 0)
                }
            };
            let sequence = self.channel.append(&mut batch, request, NLM_F_ACK | flags);
            pending.steps.insert(sequence, step.clone());
        }
        batch
    }

    pub(super) fn take_answer(
        &mut self,
        sequence: u32,
        answer: Result<(), Refusal>,
        pending: &mut Pending,
        news: &mut Vec<News>,
    ) {
        if pending.asked == Some(sequence) {
            pending.asked = None;
            pending.answer = Some(answer);
            return;
        }
        let Some(step) = pending.steps.remove(&sequence) else { return };
        let Some(wish) = step.on_address() else { return };
        let held = wish.held();
        match (wish, answer) {
            (AddressStep::Add { options, .. }, Ok(())) => {
                if self.is_in_use(held, options, pending) {
                    self.is_there(held, options, pending, news);
                    news.push(News::Applied(step));
                } else {
                    self.awaited.insert(held, Awaited { step, since: Instant::now() });
                }
            }
            (AddressStep::Remove { .. }, Ok(())) => news.push(News::Applied(step)),
            (AddressStep::Remove { .. }, Err(refusal)) => {
                if let Some(place) = pending.told_gone.remove(&held) {
                    told_by_others(&mut news[place]);
                }
                // Somebody else was quicker: what was asked for is so.
                let gone = refusal.errno == libc::EADDRNOTAVAIL;
                news.push(if gone { News::Applied(step) } else { News::Refused(step, refusal) });
            }
            (AddressStep::Add { .. }, Err(refusal)) => news.push(News::Refused(step, refusal)),
        }
    }

    /// Whether packets to an address that the kernel said yes to find it. For IPv6 it does the rest later, from a queue
    /// of its own, and notifies then; whoever was told of the address before that would ask in vain. While duplicates are
    /// looked for nobody is told.
    fn is_in_use(
        &self,
        held: (LinkIndex, InterfaceAddress),
        options: &AddressOptions,
        pending: &Pending,
    ) -> bool {
        let told = pending.told_there.contains(&held) || self.mirror.addresses.contains_key(&held);
        held.1.ip().is_ipv4() || options.detect_duplicates || told
    }

    /// Whether the kernel said yes to that already, and has not told of the address yet.
    fn awaits(&self, step: &Step) -> bool {
        let awaited = step.on_address().and_then(|wish| self.awaited.get(&wish.held()));
        awaited.is_some_and(|awaited| awaited.step == *step)
    }

    /// Whether the kernel has not told for so long of an address that it said yes to that its word must be lost.
    /// [`Kernel::drain`] reads everything afresh then.
    pub(super) fn is_overdue(&self) -> bool {
        self.awaited.values().any(|awaited| awaited.since.elapsed() >= ANSWERS_WITHIN)
    }

    /// Takes away what the kernel has said yes to and not told of yet: for one that ends.
    pub fn forgo(&mut self) {
        let awaited = std::mem::take(&mut self.awaited).into_values();
        let removals: Vec<Step> = awaited.filter_map(|awaited| removal(awaited.step)).collect();
        self.apply(&removals);
    }

    /// An address that was waited for is in use.
    pub(super) fn came_into_use(
        &mut self,
        held: (LinkIndex, InterfaceAddress),
        pending: &mut Pending,
        news: &mut Vec<News>,
    ) {
        let Some(Awaited { step, .. }) = self.awaited.remove(&held) else { return };
        if let Some(AddressStep::Add { options, .. }) = step.on_address() {
            self.is_there(held, options, pending, news);
        }
        news.push(News::Applied(step));
    }

    /// The kernel said yes to an address: the change is told before the step's end, from the answer if the kernel has
    /// not told it.
    fn is_there(
        &mut self,
        (link, address): (LinkIndex, InterfaceAddress),
        options: &AddressOptions,
        pending: &Pending,
        news: &mut Vec<News>,
    ) {
        self.added.insert((link, address));
        if let Some(present) = self.mirror.addresses.get_mut(&(link, address))
            && pending.told_there.contains(&(link, address))
        {
            if !present.ours && self.keeps_marks != Some(true) {
                self.keeps_marks = Some(false);
                present.ours = true;
                let present = present.clone();
                news.push(News::Changed(Change::Address { link, address, present }));
            }
            return;
        }
        let present = PresentAddress {
            ours: true,
            unusable: options.detect_duplicates,
            secondary: false,
            options: options.clone(),
        };
        let change = Change::Address { link, address, present };
        self.mirror.apply(&change);
        news.push(News::Changed(change));
    }

    /// Answers may have been dropped: what is there now tells what became of the steps.
    fn answer_from_whole(&mut self, pending: &mut Pending, news: &mut Vec<News>) -> io::Result<()> {
        let whole = self.read_whole()?;
        let steps = std::mem::take(&mut pending.steps).into_values();
        let done = |step: &Step| {
            let there = step.on_address().map(|wish| (wish, whole.addresses.get(&wish.held())));
            match there {
                Some((AddressStep::Add { .. }, there)) => there.is_some_and(|present| present.ours),
                Some((AddressStep::Remove { .. }, there)) => there.is_none(),
                None => false,
            }
        };
        let told = steps.map(|step| {
            if done(&step) { News::Applied(step) } else { News::Refused(step, unanswered()) }
        });
        let told: Vec<News> = told.collect();
        news.push(News::Changed(Change::Whole(Box::new(whole))));
        news.extend(told);
        Ok(())
    }
}

/// Whether it is carried out over the socket of links and addresses, together with others.
fn is_batched(step: &Step) -> bool {
    step.on_address().is_some()
}

fn is_routing(step: &Step) -> bool {
    matches!(
        step,
        Step::AddRoute { .. } | Step::RemoveRoute(_) | Step::AddRule(_) | Step::RemoveRule(_)
    )
}

fn told(step: &Step, outcome: Result<(), Refusal>) -> News {
    match outcome {
        Ok(()) => News::Applied(step.clone()),
        Err(refusal) => News::Refused(step.clone(), refusal),
    }
}

fn removal(step: Step) -> Option<Step> {
    let Step::AddAddress { link, key, .. } = step else { return None };
    Some(Step::RemoveAddress { link, key })
}

fn refuse(pending: Pending, refusal: &Refusal, news: &mut Vec<News>) {
    let steps = pending.steps.into_values();
    news.extend(steps.map(|step| News::Refused(step, refusal.clone())));
}

fn told_by_others(news: &mut News) {
    if let News::Changed(Change::AddressGone { by_us, .. }) = news {
        *by_us = false;
    }
}
