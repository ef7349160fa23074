//! Questions for everything that the schema has, made from the schema itself.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::World;

/// The schema as it says itself.
pub struct Schema {
    types: BTreeMap<String, Value>,
}

/// What arguments are given: by field and argument, as `Query.order(id)` and `orderPay(order)`, or, for all that are
/// called so, as `*(business)`.
pub type Values = BTreeMap<&'static str, String>;

/// Fields as `Order.total`.
pub type Fields = BTreeSet<String>;

impl Schema {
    pub async fn of(world: &World, token: &str) -> Self {
        let of_type = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
        let query = format!(
            "{{ __schema {{ types {{ kind name possibleTypes {{ name }} fields {{ name type {{ {of_type} }} args {{ name defaultValue type {{ {of_type} }} }} }} inputFields {{ name defaultValue type {{ {of_type} }} }} }} }} }}"
        );
        let types = world.data(token, &query).await["__schema"]["types"].clone();
        let named = |kind: &Value| (name(kind).to_owned(), kind.clone());
        Self { types: types.as_array().unwrap().iter().map(named).collect() }
    }

    pub fn fields(&self, kind: &str) -> &[Value] {
        self.types[kind]["fields"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The questions for a field of `Query` with all that lies below it: one, or one for each type that it can have.
    /// What they ask for is added to `asked`.
    pub fn questions(&self, field: &Value, values: &Values, asked: &mut Fields) -> Vec<String> {
        let (called, kind) = (self.called("Query", field, values), base(&field["type"]));
        asked.insert(format!("Query.{}", name(field)));
        let possible = self.types[kind]["possibleTypes"].as_array();
        match possible {
            Some(possible) => possible
                .iter()
                .map(|one| {
                    let below = self.below(name(one), values, &mut vec![], asked);
                    format!("{{ {called} {{ __typename ... on {} {{ {below} }} }} }}", name(one))
                })
                .collect(),
            None => vec![format!("{{ {called}{} }}", self.selection(kind, values, &mut vec![], asked).unwrap())],
        }
    }

    /// The mutation that shows what it changed and why not.
    pub fn mutation(&self, field: &Value, values: &Values) -> String {
        let input = base(&field["args"][0]["type"]);
        let given = self.given(name(field), &self.types[input]["inputFields"], values);
        let payload = base(&field["type"]);
        let shown = self.below(payload, values, &mut vec![], &mut Fields::new());
        format!("mutation {{ {}(input: {{ {given} }}) {{ {shown} }} }}", name(field))
    }

    /// Whether the input of a mutation has `field`.
    pub fn takes(&self, mutation: &Value, field: &str) -> bool {
        let input = base(&mutation["args"][0]["type"]);
        self.types[input]["inputFields"].as_array().unwrap().iter().any(|given| name(given) == field)
    }

    /// Adds the fields that stand in an answer with something in them.
    pub fn shown(&self, kind: &str, answer: &Value, shown: &mut Fields) {
        match answer {
            Value::Array(entries) => entries.iter().for_each(|entry| self.shown(kind, entry, shown)),
            Value::Object(_) => {
                let kind = answer["__typename"].as_str().unwrap_or(kind);
                for field in self.fields(kind) {
                    let below = &answer[name(field)];
                    if has_data(below) {
                        shown.insert(format!("{kind}.{}", name(field)));
                        self.shown(base(&field["type"]), below, shown);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn given(&self, of: &str, arguments: &Value, values: &Values) -> String {
        let given = arguments.as_array().unwrap().iter().filter_map(|argument| {
            let named = name(argument);
            let known = [format!("{of}({named})"), format!("*({named})")];
            let value = known.iter().find_map(|known| values.get(&**known));
            let may_lack = argument["type"]["kind"] != "NON_NULL" || argument["defaultValue"].is_string();
            assert!(value.is_some() || may_lack, "no value is known for {of}({named})");
            Some(format!("{named}: {}", value?))
        });
        given.collect::<Vec<_>>().join(", ")
    }

    fn called(&self, of: &str, field: &Value, values: &Values) -> String {
        let given = self.given(&format!("{of}.{}", name(field)), &field["args"], values);
        if given.is_empty() { name(field).to_owned() } else { format!("{}({given})", name(field)) }
    }

    /// All that a type has; none when that is nothing that was not above it.
    fn selection(&self, kind: &str, values: &Values, above: &mut Vec<String>, asked: &mut Fields) -> Option<String> {
        if matches!(self.types[kind]["kind"].as_str().unwrap(), "SCALAR" | "ENUM") {
            return Some(String::new());
        }
        if above.iter().any(|known| known == kind) {
            return None;
        }
        above.push(kind.to_owned());
        let below = self.below(kind, values, above, asked);
        above.pop();
        (!below.is_empty()).then(|| format!(" {{ {below} }}"))
    }

    fn below(&self, kind: &str, values: &Values, above: &mut Vec<String>, asked: &mut Fields) -> String {
        let mut parts = Vec::new();
        for field in self.fields(kind) {
            if let Some(below) = self.selection(base(&field["type"]), values, above, asked) {
                asked.insert(format!("{kind}.{}", name(field)));
                parts.push(format!("{}{below}", self.called(kind, field, values)));
            }
        }
        parts.join(" ")
    }
}

/// Whether anything but null stands in an answer.
pub fn has_data(answer: &Value) -> bool {
    match answer {
        Value::Null => false,
        Value::Array(entries) => entries.iter().any(has_data),
        Value::Object(fields) => fields.values().any(has_data),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

pub fn name(of: &Value) -> &str {
    of["name"].as_str().unwrap()
}

/// The name of a type without lists and marks.
fn base(kind: &Value) -> &str {
    match kind["name"].as_str() {
        Some(name) => name,
        None => base(&kind["ofType"]),
    }
}
