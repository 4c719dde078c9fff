//! Gaps and strips of made-up records.

use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Requests every 10 ms; `silent` of them are lost, then host 1 answers instead of host 0.
fn takeover(answered: u64, silent: u64, after: u64) -> Vec<Reply> {
    let reply = |number: u64| {
        let by = usize::from(number >= answered + silent);
        let lost = (answered..answered + silent).contains(&number);
        let at = MS(number * 10 + 1);
        Reply { asked: MS(number * 10), answer: (!lost).then_some(Answer { at, by }), reset: false }
    };
    (0..answered + silent + after).map(reply).collect()
}

#[test]
fn a_takeover_is_one_gap_with_both_hosts() {
    let gap = longest_gap(&takeover(10, 30, 10), MS(50), MS(500));
    assert_eq!(gap.length, MS(310));
    assert_eq!(gap.from, MS(91));
    assert_eq!((gap.before, gap.after, gap.lost), (Some(0), Some(1), 30));
}

#[test]
fn lost_requests_whose_connections_were_reset_are_told_apart() {
    let mut replies = takeover(10, 3, 10);
    replies[11].reset = true;
    // Answered after all, by whoever asked again.
    replies[5].reset = true;
    let gap = longest_gap(&replies, MS(50), MS(220));
    assert_eq!((gap.lost, gap.reset), (3, 1));
}

#[test]
fn a_gap_that_nothing_ended_lasts_to_the_end_of_the_window() {
    let gap = longest_gap(&takeover(10, 30, 0), MS(50), MS(300));
    assert_eq!((gap.length, gap.before, gap.after), (MS(209), Some(0), None));
}

#[test]
fn without_any_answer_the_whole_window_is_the_gap() {
    let gap = longest_gap(&takeover(0, 5, 0), MS(10), MS(40));
    assert_eq!((gap.length, gap.lost), (MS(30), 3));
    assert_eq!(longest_gap(&[], MS(10), MS(40)).length, MS(30));
}

#[test]
fn before_the_first_answer_the_gap_begins_with_the_window() {
    let gap = longest_gap(&takeover(0, 20, 10), MS(50), MS(290));
    assert_eq!((gap.length, gap.before, gap.after), (MS(151), None, Some(1)));
}

#[test]
fn a_gap_before_the_window_does_not_count() {
    let gap = longest_gap(&takeover(10, 30, 20), MS(450), MS(590));
    assert_eq!(gap.length, MS(10));
}

#[test]
fn an_answer_late_by_seconds_counts_when_it_comes() {
    let mut replies = takeover(10, 30, 10);
    replies[10].answer = Some(Answer { at: MS(395), by: 1 });
    assert_eq!(longest_gap(&replies, MS(50), MS(500)).length, MS(304));
}

#[test]
fn a_strip_shows_who_answered_and_where_nobody_did() {
    let strip = strip(&takeover(10, 20, 10), MS(0), MS(500), 5);
    let (first, second) = (Cell::Answered(0), Cell::Answered(1));
    assert_eq!(strip, [first, Cell::Silent, Cell::Silent, second, Cell::Nothing]);
}

#[test]
fn a_strip_of_no_width_or_no_time_is_empty_or_dark() {
    assert!(strip(&takeover(3, 0, 0), MS(0), MS(30), 0).is_empty());
    assert_eq!(strip(&takeover(3, 0, 0), MS(5), MS(5), 2), [Cell::Nothing, Cell::Nothing]);
}
