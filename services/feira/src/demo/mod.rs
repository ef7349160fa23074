//! `feira demo`: two purchases in two countries, played from the first word to the issued invoice, through GraphQL alone.
//!
//! Every command has an id that is kept before it is sent: a run that was broken off, or whose platform was, is finished
//! by the next, and played again it changes nothing.

mod asks;
mod shop;
mod speaker;
mod state;
mod story;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use feira_ids::Role;
use serde_json::{Value, json};

use crate::cli::{Demo, LogAt, Output, Verify};
use crate::demo::shop::{SHOPS, Shop};
use crate::demo::speaker::Speaker;
use crate::demo::state::Run;
use crate::demo::story::{Cast, Story};
use crate::failure::Failure;
use crate::{token, verify};

/// How long the tokens of the demo are good.
const TOKENS_VALID: Duration = Duration::from_secs(60 * 60);

/// Plays it, and ends with what a verification finds.
pub async fn demo(args: Demo, output: Output) -> Result<ExitCode, Failure> {
    // First, since it says what to do when there is no platform.
    let casts = SHOPS.iter().map(|shop| cast(&args.log, shop)).collect::<Result<Vec<_>, _>>()?;
    let mut run = Run::open(&args.log.at.data, args.new)?;
    if run.is_done() {
        eprintln!("this run was played before; what follows is what it came to (--new plays another)");
    }
    let mut shops = Vec::new();
    for (shop, cast) in SHOPS.iter().zip(&casts) {
        let tell = |what: &str| eprintln!("{}: {what}", shop.tenant);
        shops.push(Story { shop, cast, run: &mut run, tell: &tell }.tell().await?);
    }
    run.done()?;
    eprintln!("verifying");
    let asked = Verify { log: args.log, events_a_pass: verify::EVENTS_A_PASS };
    let report = verify::found(&asked, &verify::progress(output)).await?;
    let sound = verify::is_sound(&report);
    say(run.id(), &shops, &report, output)?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Those who speak in a business's story.
fn cast(log: &LogAt, shop: &Shop) -> Result<Cast, Failure> {
    let key = token::existing_key(&log.at.data)?;
    let http = reqwest::Client::new();
    let speaker = |name: &str, role, tenant| {
        let token = token::sign(&key, name, role, tenant, shop.country, TOKENS_VALID)?;
        Ok::<_, Failure>(Speaker::new(&http, &log.at.url, name, token))
    };
    let [buyer, friend] = shop.people;
    Ok(Cast {
        admin: speaker("admin", Role::Admin, Some(shop.tenant))?,
        agent: speaker("agent", Role::Agent, Some(shop.tenant))?,
        buyer: speaker(buyer, Role::Consumer, None)?,
        friend: speaker(friend, Role::Consumer, None)?,
        operator: speaker("operator", Role::Operator, None)?,
    })
}

fn say(run: &str, shops: &[Value], report: &Value, output: Output) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = match output {
        Output::Json => writeln!(out, "{}", json!({ "run": run, "shops": shops, "verified": report })),
        Output::Text => {
            let shops: Vec<String> = shops.iter().map(text).collect();
            writeln!(out, "{}\n{}", shops.join("\n"), verify::text(report))
        }
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::because("cannot write", error)),
        _ => Ok(()),
    }
}

/// A business's story in lines.
fn text(shop: &Value) -> String {
    let word = |value: &Value, pointer: &str| match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let mut lines = vec![format!(
        "{}\n  order {} {} {} {}",
        word(shop, "/business"),
        word(shop, "/order/id"),
        word(shop, "/order/state"),
        word(shop, "/order/total/amount"),
        word(shop, "/order/total/currency")
    )];
    for message in shop["messages"].as_array().into_iter().flatten() {
        lines.push(format!(
            "  message {:>3} {:<10} {:<14} {:<8} {}",
            word(message, "/seq"),
            word(message, "/from"),
            word(message, "/kind"),
            word(message, "/class"),
            word(message, "/status")
        ));
    }
    for invoice in shop["invoices"].as_array().into_iter().flatten() {
        lines.push(format!("  invoice {} of {}", word(invoice, "/number"), word(invoice, "/period")));
        for line in invoice["lines"].as_array().into_iter().flatten() {
            let (what, of) = (word(line, "/component"), word(line, "/class"));
            let (country, quantity) = (word(line, "/country"), word(line, "/quantity"));
            let paid = if line["collected"] == json!(true) { " (collected)" } else { "" };
            let amount = format!("{} {}", word(line, "/amount"), word(line, "/currency"));
            lines.push(format!("    {quantity:>4} × {what} {of} {country}  {amount}{paid}"));
            for step in line.pointer("/explain/steps").and_then(Value::as_array).into_iter().flatten() {
                let (finds, how, value) = (word(step, "/finds"), word(step, "/how"), word(step, "/value"));
                lines.push(format!("           {finds:<10} {value:>12}  {how}"));
            }
        }
        for total in invoice["totals"].as_array().into_iter().flatten() {
            let (due, collected) = (word(total, "/due"), word(total, "/collected"));
            lines.push(format!("    due {due} {0}, collected {collected} {0}", word(total, "/currency")));
        }
    }
    lines.join("\n")
}
