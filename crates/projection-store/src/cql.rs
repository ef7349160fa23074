//! Tables as CQL, and the lint that keeps statements to what ScyllaDB and Cassandra do alike.

use std::fmt::Write;

use crate::{ColumnType, Order, Table};

impl ColumnType {
    /// Its name in CQL.
    pub fn cql(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::BigInt => "bigint",
            Self::Int => "int",
            Self::Boolean => "boolean",
            Self::Blob => "blob",
            Self::Timestamp => "timestamp",
            Self::TextList => "frozen<list<text>>",
        }
    }
}

impl Table {
    /// The statement that makes this table in `keyspace`, without a semicolon.
    pub fn create_cql(&self, keyspace: &str) -> String {
        let names = |columns: &[crate::Column]| columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ");
        let mut cql = format!("CREATE TABLE IF NOT EXISTS {keyspace}.{} (\n", self.name);
        for column in self.columns {
            // Writing into a String does not fail.
            let _ = writeln!(cql, "    {} {},", column.name, column.kind.cql());
        }
        let partition = names(&self.columns[..self.partition]);
        let clustering = &self.columns[self.partition..self.key_len()];
        let _ = match clustering {
            [] => writeln!(cql, "    PRIMARY KEY (({partition}))"),
            _ => writeln!(cql, "    PRIMARY KEY (({partition}), {})", names(clustering)),
        };
        cql.push_str(") WITH ");
        if !clustering.is_empty() {
            let order = |order: &Order| match order {
                Order::Ascending => "ASC",
                Order::Descending => "DESC",
            };
            let orders: Vec<String> =
                clustering.iter().zip(self.clustering).map(|(c, o)| format!("{} {}", c.name, order(o))).collect();
            let _ = write!(cql, "CLUSTERING ORDER BY ({})\n    AND ", orders.join(", "));
        }
        let _ = write!(cql, "comment = '{}'", self.doc.replace('\'', "''"));
        cql
    }
}

/// Something in a CQL text that the two databases do not do alike, or that a replay would do twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub found: String,
    /// Why it is refused.
    pub reason: &'static str,
}

/// Words in a row (a star stands for itself) that are refused wherever they stand.
const DENIED: &[(&[&str], &str)] = &[
    (&["ALLOW", "FILTERING"], "reads whole tables"),
    (&["CREATE", "INDEX"], "an index is global on one database and local on the other"),
    (&["CUSTOM", "INDEX"], "an index is global on one database and local on the other"),
    (&["STORAGEATTACHEDINDEX"], "only Cassandra has it"),
    (&["MATERIALIZED"], "views differ between the two and may lose rows"),
    (&["COUNTER"], "a counter counts a replay twice"),
    (&["SELECT", "*"], "name the columns"),
    (&["SELECT", "DISTINCT"], "differs between the two"),
    (&["SELECT", "JSON"], "differs between the two"),
    (&["INSERT", "JSON"], "differs between the two"),
    (&["CAST"], "only Cassandra casts everywhere"),
    (&["SIMPLESTRATEGY"], "use NetworkTopologyStrategy"),
    (&["UNIFIEDCOMPACTIONSTRATEGY"], "only Cassandra has it"),
    (&["INCREMENTALCOMPACTIONSTRATEGY"], "only ScyllaDB has it"),
    (&["BYPASS", "CACHE"], "only ScyllaDB has it"),
    (&["USING", "TIMEOUT"], "only ScyllaDB has it"),
    (&["AND", "TIMEOUT"], "only ScyllaDB has it"),
    (&["TABLETS"], "only ScyllaDB has it"),
    (&["CDC"], "differs between the two"),
    (&["PAXOS_GRACE_SECONDS"], "only ScyllaDB has it"),
    (&["SYNCHRONOUS_UPDATES"], "only ScyllaDB has it"),
    (&["COMPACT", "STORAGE"], "only Cassandra has it"),
    (&["CACHING"], "means nothing on one of the two"),
    (&["CRC_CHECK_CHANCE"], "means nothing on one of the two"),
    (&["MEMTABLE_FLUSH_PERIOD_IN_MS"], "means nothing on one of the two"),
    (&["SPECULATIVE_RETRY"], "takes other values on each"),
    (&["PER", "PARTITION", "LIMIT"], "pages differ between the two"),
    (&["GROUP", "BY"], "pages differ between the two"),
    (&["LIKE"], "only one of the two has it without an index"),
    (&["MASKED"], "only Cassandra has it"),
    (&["CREATE", "FUNCTION"], "user functions are off by default"),
    (&["CREATE", "AGGREGATE"], "user functions are off by default"),
    (&["CREATE", "TRIGGER"], "only Cassandra has it"),
    (&["CREATE", "TYPE"], "user types cannot change everywhere alike"),
    (&["DURATION"], "differs between the two"),
    (&["VECTOR"], "only Cassandra has it"),
    (&["ANN"], "only Cassandra has it"),
    (&["NOW"], "a replay would write another value"),
    (&["UUID", "("], "a replay would write another value"),
    (&["CURRENTTIMESTAMP"], "a replay would write another value"),
];

/// After these a colon begins a named value.
const MARKER_FOLLOWS: &[&str] = &["=", "<", ">", "(", ",", "IN", "LIMIT", "TIMESTAMP", "TTL"];

/// What `text`, any number of statements, has that is not in the portable subset; nothing when it is.
pub fn lint_cql(text: &str) -> Vec<Violation> {
    let tokens = tokens(text);
    tokens.split(|token| token.text == ";").flat_map(lint_statement).collect()
}

struct Token {
    line: usize,
    /// A word in upper case, a sign, or the content of a text in upper case.
    text: String,
}

fn lint_statement(statement: &[Token]) -> Vec<Violation> {
    let Some(first) = statement.first() else { return Vec::new() };
    let is = |index: usize, text: &str| statement.get(index).is_some_and(|token| token.text == text);
    let mut found = Vec::new();
    let mut refuse = |index: usize, len: usize, reason: &'static str| {
        let words: Vec<&str> = statement[index..].iter().take(len).map(|token| token.text.as_str()).collect();
        found.push(Violation { line: statement[index].line, found: words.join(" "), reason });
    };
    for index in 0..statement.len() {
        for (words, reason) in DENIED {
            if words.iter().enumerate().all(|(offset, word)| is(index + offset, word)) {
                refuse(index, words.len(), reason);
            }
        }
        let text = statement[index].text.as_str();
        match text {
            "+" | "%" | "/" => refuse(index, 1, "only Cassandra reckons in CQL"),
            // Not the colon of a map, which follows a text.
            ":" if index > 0 && MARKER_FOLLOWS.contains(&statement[index - 1].text.as_str()) => {
                refuse(index, 2, "write ? for a value: a name used twice differs between the two");
            }
            // `(a, b) > (...)`: a list of columns compared as one.
            ")" if ["<", ">", "="].iter().any(|sign| is(index + 1, sign)) => {
                refuse(index, 2, "compare columns one by one");
            }
            "IN" if is(index + 1, "(") => {
                let closing = statement[index..].iter().take_while(|token| token.text != ")");
                if closing.filter(|token| token.text == ",").count() >= 100 {
                    refuse(index, 1, "one of the two takes at most 100 values");
                }
            }
            _ => {}
        }
    }
    let writes = ["INSERT", "UPDATE", "DELETE"].contains(&first.text.as_str());
    if writes {
        if let Some(index) = statement.iter().position(|token| token.text == "IF") {
            refuse(index, 1, "a condition cannot carry our timestamp and costs four round trips");
        }
        if !(0..statement.len())
            .any(|index| is(index, "TIMESTAMP") && index > 0 && (is(index - 1, "USING") || is(index - 1, "AND")))
        {
            refuse(0, 1, "without USING TIMESTAMP the server's clock would win for ever");
        }
    }
    if first.text == "BEGIN" && !is(1, "UNLOGGED") {
        refuse(0, 2, "only unlogged batches within one partition");
    }
    found
}

/// Words, signs and texts; comments are left out.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\n' => line += 1,
            c if c.is_whitespace() => {}
            '-' | '/' if rest.peek() == Some(&c) => while rest.next_if(|c| *c != '\n').is_some() {},
            '/' if rest.peek() == Some(&'*') => {
                let mut before = ' ';
                for c in rest.by_ref() {
                    line += usize::from(c == '\n');
                    if before == '*' && c == '/' {
                        break;
                    }
                    before = c;
                }
            }
            '\'' | '"' => {
                let (at, mut content) = (line, String::new());
                while let Some(inner) = rest.next() {
                    line += usize::from(inner == '\n');
                    if inner == c && rest.next_if_eq(&c).is_none() {
                        break;
                    }
                    content.extend(inner.to_uppercase());
                }
                // Prose is no word of the language; the name of a class is.
                if !content.contains(' ') && content != ";" {
                    tokens.push(Token { line: at, text: content });
                } else {
                    tokens.push(Token { line: at, text: "''".to_owned() });
                }
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut word: String = c.to_uppercase().collect();
                while let Some(next) = rest.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    word.extend(next.to_uppercase());
                }
                tokens.push(Token { line, text: word });
            }
            c => tokens.push(Token { line, text: c.to_string() }),
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column;

    #[test]
    fn a_table_reads_as_this_cql() {
        let column = |name, kind| Column { name, kind };
        let columns = vec![
            column("tenant", ColumnType::Text),
            column("shelf", ColumnType::Int),
            column("at", ColumnType::Timestamp),
            column("sku", ColumnType::Text),
            column("minor", ColumnType::BigInt),
            column("tags", ColumnType::TextList),
            column("photo", ColumnType::Blob),
            column("sold_out", ColumnType::Boolean),
        ];
        let table = Table {
            name: "products_v1",
            columns: columns.leak(),
            partition: 2,
            clustering: &[Order::Descending, Order::Ascending],
            doc: "A tenant's products.",
        };
        let expected = "CREATE TABLE IF NOT EXISTS feira.products_v1 (
    tenant text,
    shelf int,
    at timestamp,
    sku text,
    minor bigint,
    tags frozen<list<text>>,
    photo blob,
    sold_out boolean,
    PRIMARY KEY ((tenant, shelf), at, sku)
) WITH CLUSTERING ORDER BY (at DESC, sku ASC)
    AND comment = 'A tenant''s products.'";
        assert_eq!(table.create_cql("feira"), expected);
        assert_eq!(lint_cql(expected), []);
        let settings = Table { partition: 1, clustering: &[], doc: "Settings.", ..table };
        assert!(settings.create_cql("feira").contains("PRIMARY KEY ((tenant))\n) WITH comment = 'Settings.'"));
    }

    #[test]
    fn the_portable_subset_passes() {
        let text = "-- comment with ALLOW FILTERING
            INSERT INTO k.t (a, b) VALUES (?, ?) USING TIMESTAMP ?;
            DELETE FROM k.t USING TIMESTAMP ? WHERE a = ? AND b = ?; /* SELECT * */
            UPDATE k.t USING TTL 5 AND TIMESTAMP ? SET c = ? WHERE a = ?;
            SELECT a, b FROM k.t WHERE a = ? AND b > ? ORDER BY b DESC LIMIT ?;
            CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 1};
            CREATE TABLE IF NOT EXISTS k.t (a int, PRIMARY KEY ((a))) WITH comment = 'What a counter shows; now.'";
        assert_eq!(lint_cql(text), []);
    }

    #[test]
    fn what_differs_or_repeats_is_refused() {
        for bad in [
            "SELECT a FROM t WHERE b = 1 ALLOW FILTERING",
            "select * from t",
            "SELECT a FROM t WHERE (a, b) > (?, ?)",
            "SELECT a FROM t WHERE a = :a",
            "SELECT a FROM t GROUP BY a",
            "CREATE INDEX ON t (a)",
            "CREATE CUSTOM INDEX ON t (a) USING 'StorageAttachedIndex'",
            "CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
            "CREATE TABLE t (a int PRIMARY KEY, n counter)",
            "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "CREATE TABLE t (a int) WITH compaction = {'class': 'UnifiedCompactionStrategy'}",
            "CREATE TABLE t (a int) WITH tablets = {'enabled': false}",
            "INSERT INTO t (a) VALUES (?)",
            "INSERT INTO t (a) VALUES (?) IF NOT EXISTS",
            "UPDATE t USING TIMESTAMP ? SET n = n + 1 WHERE a = ?",
            "DELETE FROM t WHERE a = ?",
            "DELETE FROM t USING TIMESTAMP ? WHERE a = ? IF EXISTS",
            "BEGIN BATCH APPLY BATCH",
            "SELECT a FROM t BYPASS CACHE",
            "INSERT INTO t (a) VALUES (now()) USING TIMESTAMP ?",
        ] {
            assert!(!lint_cql(bad).is_empty(), "{bad}");
        }
        let many = format!("SELECT a FROM t WHERE a IN ({})", vec!["?"; 101].join(", "));
        assert!(!lint_cql(&many).is_empty());
    }

    #[test]
    fn a_violation_says_where_it_stands() {
        let found = lint_cql("SELECT a\nFROM t\nALLOW FILTERING");
        assert_eq!((found[0].line, found[0].found.as_str()), (3, "ALLOW FILTERING"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in ".{0,200}") {
            lint_cql(&text);
        }
    }
}
