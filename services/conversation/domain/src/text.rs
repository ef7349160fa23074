//! The forms of texts that come in open.

/// Whether `text` is 1 to `max` characters that can be shown, without outer spaces.
pub(crate) fn is_label(text: &str, max: usize) -> bool {
    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control) && text.chars().count() <= max
}

/// Whether `text` is 1 to `max` characters, with lines.
pub(crate) fn is_prose(text: &str, max: usize) -> bool {
    let shown = |c: char| c == '\n' || !c.is_control();
    !text.trim().is_empty() && text.chars().all(shown) && text.chars().count() <= max
}

/// Whether `text` is 1 to `max` lower-case letters, digits and signs of `more`.
pub(crate) fn is_slug(text: &str, max: usize, more: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(c);
    (1..=max).contains(&text.len()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_line_and_prose_may_have_several() {
        assert!(is_label("Café da Ana", 11) && !is_label("Café da Ana", 10));
        assert!(!is_label("", 9) && !is_label(" a", 9) && !is_label("a\nb", 9));
        assert!(is_prose("नमस्ते\nदो", 20) && !is_prose(" \n", 9) && !is_prose("a\u{7}", 9) && !is_prose("abc", 2));
        assert!(is_slug("order_paid", 20, "_") && !is_slug("Order", 20, "_") && !is_slug("", 20, "_"));
    }
}
