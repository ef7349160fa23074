//! Comma-separated values as RFC 4180 has them, read strictly: what is not quite right is refused, with its line.

/// Why a text is no such table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvError {
    /// A quote stands in the middle of a field, or something after a closing one.
    #[error("line {line}: a quote stands where none may stand")]
    StrayQuote {
        /// The line, from 1.
        line: usize,
    },
    /// A quote is opened and never closed.
    #[error("line {line}: a quote is never closed")]
    OpenQuote {
        /// The line that opens it.
        line: usize,
    },
    /// A line break that is none of the two.
    #[error("line {line}: a carriage return without a line feed")]
    LoneReturn {
        /// The line.
        line: usize,
    },
    /// More or fewer fields than the first line.
    #[error("line {line} has {found} fields, not {expected}")]
    FieldCount {
        /// The line on which the record begins.
        line: usize,
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
}

/// A record and the line on which it begins, from 1.
pub(super) type Record = (usize, Vec<String>);

/// Reads all records; each has as many fields as the first.
pub(super) fn read(text: &str) -> Result<Vec<Record>, CsvError> {
    let mut records: Vec<Record> = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let begins = line;
        let mut fields = Vec::new();
        let mut last = false;
        while !last {
            let field;
            (field, rest) = read_field(rest, &mut line)?;
            fields.push(field);
            if let Some(after) = rest.strip_prefix(',') {
                rest = after;
            } else {
                rest = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')).unwrap_or(rest);
                line += 1;
                last = true;
            }
        }
        let expected = records.first().map_or(fields.len(), |(_, first)| first.len());
        if fields.len() != expected {
            return Err(CsvError::FieldCount { line: begins, found: fields.len(), expected });
        }
        records.push((begins, fields));
    }
    Ok(records)
}

/// Reads one field; what is left begins with a comma, a line break, or is empty. Counts the line breaks within.
fn read_field<'a>(text: &'a str, line: &mut usize) -> Result<(String, &'a str), CsvError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', '\n', '\r', '"']).unwrap_or(text.len());
        let (field, rest) = text.split_at(end);
        if rest.starts_with('"') {
            return Err(CsvError::StrayQuote { line: *line });
        }
        return Ok((field.to_owned(), ends_field(rest, *line)?));
    };
    let opened = *line;
    let mut field = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"').ok_or(CsvError::OpenQuote { line: opened })?;
        *line += part.matches('\n').count();
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(more) => {
                field.push('"');
                rest = more;
            }
            None => return Ok((field, ends_field(after, *line)?)),
        }
    }
}

/// Whether what follows a field ends it.
fn ends_field(rest: &str, line: usize) -> Result<&str, CsvError> {
    if rest.is_empty() || rest.starts_with([',', '\n']) || rest.starts_with("\r\n") {
        Ok(rest)
    } else if rest.starts_with('\r') {
        Err(CsvError::LoneReturn { line })
    } else {
        Err(CsvError::StrayQuote { line })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(text: &str) -> Vec<Vec<String>> {
        read(text).unwrap().into_iter().map(|(_, fields)| fields).collect()
    }

    #[test]
    fn commas_quotes_and_line_breaks_may_stand_in_quotes() {
        let text = "a,b\r\n\"1,000\",\"say \"\"hi\"\"\"\n\"two\nlines\",\n";
        assert_eq!(fields(text), [["a", "b"], ["1,000", "say \"hi\""], ["two\nlines", ""]]);
        let lines: Vec<usize> = read(text).unwrap().into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [1, 2, 3]);
    }

    #[test]
    fn the_last_line_need_not_end() {
        assert_eq!(fields("a\nb"), [["a"], ["b"]]);
        assert_eq!(fields(""), [[""; 0]; 0]);
    }

    #[test]
    fn what_is_not_quite_right_is_refused_with_its_line() {
        assert_eq!(read("a,b\nc\"d,e\n"), Err(CsvError::StrayQuote { line: 2 }));
        assert_eq!(read("a,b\n\"c\"d,e\n"), Err(CsvError::StrayQuote { line: 2 }));
        assert_eq!(read("a,b\n\"c,e\n"), Err(CsvError::OpenQuote { line: 2 }));
        assert_eq!(read("a\rb\n"), Err(CsvError::LoneReturn { line: 1 }));
        assert_eq!(read("a,b\n\nc,d\n"), Err(CsvError::FieldCount { line: 2, found: 1, expected: 2 }));
        assert_eq!(read("a,b\nc,d,e\n"), Err(CsvError::FieldCount { line: 2, found: 3, expected: 2 }));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(table in prop::collection::vec(prop::collection::vec("[ab,\"\r\n é]{0,6}", 3), 1..6)) {
            let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
            let lines = table.iter().map(|fields| fields.iter().map(quoted).collect::<Vec<_>>().join(","));
            prop_assert_eq!(fields(&lines.collect::<Vec<_>>().join("\n")), table);
        }

        #[test]
        fn any_text_is_a_table_or_refused(text in "[a,\"\r\n]{0,30}|\\PC{0,30}") {
            let _ = read(&text);
        }
    }
}
