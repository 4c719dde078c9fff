//! The kernel's error numbers in words.

/// `Network is down`: what the number means, without the number.
pub fn text(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    match text.rsplit_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_number_is_left_out() {
        assert_eq!(super::text(libc::ENODEV), "No such device");
    }
}
