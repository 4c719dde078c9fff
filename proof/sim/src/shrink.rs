//! A broken run made small: which of its faults or drills are needed to break it.

/// The fewest of `count` things, found by leaving out one after the other, with which `is_broken` still holds.
pub fn shrink(count: usize, is_broken: impl Fn(&[usize]) -> bool) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..count).collect();
    for left_out in (0..count).rev() {
        let fewer: Vec<usize> = kept.iter().copied().filter(|one| *one != left_out).collect();
        if is_broken(&fewer) {
            kept = fewer;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_is_left() {
        let is_broken = |kept: &[usize]| kept.contains(&3) && kept.contains(&7);
        assert_eq!(shrink(10, is_broken), [3, 7]);
        assert_eq!(shrink(3, |_| true), Vec::<usize>::new());
    }
}
