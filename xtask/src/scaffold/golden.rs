//! What is published of a new service's event: its schema, its entry in the index, its golden bytes and their twin for
//! people, and its topic in the page of AsyncAPI.
//!
//! The bytes are made here by the schema alone, and not by the program's own codec: whose tests then compare them with
//! what it writes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::name::Name;

/// A released schema, as the index lists it.
#[derive(Clone, Debug)]
pub struct Released {
    /// The id in the wire format.
    pub id: u64,
    /// The event's full name.
    pub name: String,
    /// The file's name.
    pub file: String,
    /// The names of its golden files, without their endings.
    pub stem: String,
}

/// All that the index lists.
///
/// # Errors
/// When it is not in its form; says so.
pub fn index(text: &str) -> Result<Vec<Released>, String> {
    let entries: Vec<Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let text_of = |entry: &Value, field: &str| entry[field].as_str().map(str::to_owned);
    let released = |entry: &Value| {
        let (name, version) = (text_of(entry, "name")?, entry["version"].as_u64()?);
        let stem = format!("{name}.{version}");
        Some(Released { id: entry["id"].as_u64()?, name, file: text_of(entry, "file")?, stem })
    };
    let read: Option<Vec<_>> = entries.iter().map(released).collect();
    read.filter(|all| !all.is_empty()).ok_or_else(|| "an entry lacks a field, or there is none".to_owned())
}

/// The id of a new service's first schema: the next round ten, so that the services before have room to go on.
pub fn next_id(index: &[Released]) -> u64 {
    index.iter().map(|released| released.id).max().map_or(1, |last| (last / 10 + 1) * 10)
}

/// The schema, with the envelope of `model`, which was released last.
///
/// # Errors
/// When the model has another form.
pub fn schema(template: &str, model: &str, name: &Name) -> Result<String, String> {
    let begin = model.find("    {\n      \"name\": \"meta\",").ok_or("its first field is not the envelope")?;
    let end = model[begin..].find("\n    },\n").ok_or("its envelope has no end")? + begin + "\n    },\n".len();
    let text = name.fill(template).replace("__meta__", &model[begin..end]);
    let parse = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
    if parse(&text)?["fields"][0] == parse(model)?["fields"][0] {
        Ok(text)
    } else {
        Err("its envelope cannot be taken over".to_owned())
    }
}

/// The index with one schema more.
///
/// # Errors
/// When it ends otherwise than a list.
pub fn indexed(index: &str, service: &str, new: &Released, schema: &str) -> Result<String, String> {
    let rest = index.strip_suffix("}\n]\n").ok_or("it does not end as a list of entries")?;
    let Released { id, name, file, .. } = new;
    let subject = format!("{service}.events.v1-{name}");
    let sha256: String = Sha256::digest(schema.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!(
        "{rest}}},\n  {{\"id\": {id}, \"subject\": \"{subject}\", \"name\": \"{name}\", \"version\": 1, \
         \"file\": \"{file}\", \"sha256\": \"{sha256}\"}}\n]\n"
    ))
}

/// The golden bytes of an event and their twin, in the envelope of another event's twin.
///
/// # Errors
/// When the event does not fit its schema.
pub fn bytes(schema: &str, id: u64, twin: &str, aggregate: &str, body: &Value) -> Result<(Vec<u8>, String), String> {
    let schema: Value = serde_json::from_str(schema).map_err(|error| error.to_string())?;
    let twin: Value = serde_json::from_str(twin).map_err(|error| error.to_string())?;
    let mut meta = twin["meta"].clone();
    meta["aggregate"] = json!(aggregate);
    let mut record = body.clone();
    record["meta"] = meta.clone();
    let id = u32::try_from(id).map_err(|_| "its id does not fit".to_owned())?;
    let mut bytes = vec![0];
    bytes.extend(id.to_be_bytes());
    encode(&schema, &record, &mut bytes)?;
    Ok((bytes, format!("{:#}\n", json!({ "body": body, "meta": meta }))))
}

/// Writes `value` as Avro does.
fn encode(schema: &Value, value: &Value, bytes: &mut Vec<u8>) -> Result<(), String> {
    let unfit = || format!("{value} is no {schema}");
    if let Some(branches) = schema.as_array() {
        let branch = usize::from(!value.is_null());
        zigzag(branch as i64, bytes);
        return if value.is_null() { Ok(()) } else { encode(branches.get(branch).ok_or_else(unfit)?, value, bytes) };
    }
    match schema.as_str().or(schema["type"].as_str()).ok_or_else(unfit)? {
        "int" | "long" => zigzag(value.as_i64().ok_or_else(unfit)?, bytes),
        "string" => {
            let text = value.as_str().ok_or_else(unfit)?;
            zigzag(text.len() as i64, bytes);
            bytes.extend(text.as_bytes());
        }
        // The one type of fixed length; named alone once it was defined.
        "fixed" | "Hash16" => {
            let digits = value.as_str().filter(|digits| digits.len() == 32 && digits.is_ascii()).ok_or_else(unfit)?;
            for at in (0..32).step_by(2) {
                bytes.push(u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| unfit())?);
            }
        }
        "record" => {
            for field in schema["fields"].as_array().ok_or_else(unfit)? {
                let name = field["name"].as_str().ok_or_else(unfit)?;
                encode(&field["type"], &value[name], bytes)?;
            }
        }
        _ => return Err(unfit()),
    }
    Ok(())
}

/// A number as Avro writes it.
fn zigzag(number: i64, bytes: &mut Vec<u8>) {
    let mut left = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while left > 0x7f {
        bytes.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

/// The page of AsyncAPI with the topic of a new service and its one event, `title` for short.
///
/// # Errors
/// When the page has another form.
pub fn asyncapi(page: &str, service: &str, title: &str, doc: &str, new: &Released) -> Result<String, String> {
    let message = |short: &str| format!("      {short}: {{ $ref: '#/components/messages/{short}' }}\n");
    let (own, every) = (message(title), message("CommandOutcome") + &message("LaneTaken"));
    // They stand by their full names, of which every topic's are feira.lane's.
    let messages = if service < "lane" { own + &every } else { every + &own };
    let channel = format!(
        "  {service}:\n    address: '{{prefix}}{service}.events.v1'\n    description: Partition is lane; within it \
         records are in order and lane_seq has no gap.\n    parameters:\n      prefix: {{ $ref: \
         '#/components/parameters/prefix' }}\n    messages:\n{messages}"
    );
    let operation = format!("  send_{service}:\n    action: send\n    channel: {{ $ref: '#/channels/{service}' }}\n");
    let Released { id, name, file, .. } = new;
    let described = format!(
        "    {title}:\n      name: {name}\n      title: {title}\n      summary: '{doc}'\n      payload:\n        \
         schemaFormat: application/vnd.apache.avro+json;version=1.12.0\n        schema: {{ $ref: './avro/{file}' }}\n      \
         x-schema-id: {id}\n      x-version: 1\n"
    );
    let page = with_block(page, "channels:", 2, &channel, 0)?;
    let page = with_block(&page, "operations:", 2, &operation, 0)?;
    with_block(&page, "  messages:", 4, &described, 1)
}

/// The page with `block` among those under the line `head`, which are `indent` deep and stand in the order of one of
/// their lines, `key`.
fn with_block(page: &str, head: &str, indent: usize, block: &str, key: usize) -> Result<String, String> {
    let lines: Vec<_> = page.split_inclusive('\n').collect();
    let begin =
        lines.iter().position(|line| line.trim_end() == head).ok_or_else(|| format!("no line is {head:?}"))? + 1;
    let depth = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let length = lines[begin..].iter().position(|line| depth(line) < indent).unwrap_or(lines.len() - begin);
    let of_block = block.lines().nth(key).unwrap_or("");
    let starts = (begin..begin + length).filter(|&at| depth(&lines[at]) == indent);
    let after = |at: &usize| lines.get(at + key).is_some_and(|line| line.trim_end() > of_block);
    let at = starts.clone().find(after).unwrap_or(begin + length);
    Ok(lines[..at].concat() + block + &lines[at..].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_avro_writes_them() {
        for (number, expected) in [(0, &[0][..]), (-1, &[1]), (1, &[2]), (64, &[0x80, 1]), (-65, &[0x81, 1])] {
            let mut bytes = vec![];
            zigzag(number, &mut bytes);
            assert_eq!(bytes, expected, "{number}");
        }
    }

    #[test]
    fn the_bytes_of_a_golden_file_come_out_of_its_twin_and_schema() {
        let root = crate::workspace::root();
        let read = |file: &str| std::fs::read_to_string(root.join("schemas").join(file)).unwrap();
        let twin = read("golden/feira.catalog.v1.StockSet.1.json");
        let body = serde_json::from_str::<Value>(&twin).unwrap()["body"].clone();
        let schema = read("avro/feira.catalog.v1.StockSet.1.avsc");
        let (bytes, again) = bytes(&schema, 12, &twin, "stock:CAFE-250", &body).unwrap();
        assert_eq!(again, twin);
        assert_eq!(bytes, std::fs::read(root.join("schemas/golden/feira.catalog.v1.StockSet.1.bin")).unwrap());
    }

    #[test]
    fn a_value_that_does_not_fit_is_refused() {
        for (schema, value) in
            [(json!("long"), json!("1")), (json!("Hash16"), json!("0g")), (json!("double"), json!(1))]
        {
            assert!(encode(&schema, &value, &mut vec![]).is_err(), "{schema}");
        }
    }

    #[test]
    fn a_block_goes_to_its_place_in_the_order() {
        let page = "a:\n  b:\n    x: 1\n  d:\n    x: 2\nz:\n";
        assert_eq!(with_block(page, "a:", 2, "  c:\n", 0).unwrap(), "a:\n  b:\n    x: 1\n  c:\n  d:\n    x: 2\nz:\n");
        assert_eq!(with_block(page, "a:", 2, "  e:\n", 0).unwrap(), "a:\n  b:\n    x: 1\n  d:\n    x: 2\n  e:\nz:\n");
        assert!(with_block(page, "y:", 2, "  e:\n", 0).is_err());
    }

    #[test]
    fn a_new_service_begins_at_a_round_id() {
        let released = |id| Released { id, name: String::new(), file: String::new(), stem: String::new() };
        assert_eq!(next_id(&[released(3), released(112), released(54)]), 120);
        assert_eq!(next_id(&[released(110)]), 120);
    }
}
