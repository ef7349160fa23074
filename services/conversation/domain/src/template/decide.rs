//! How a template answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use feira_commands::conversation::TEMPLATE_CHARS_MAX;

use super::{
    Category, Command, Event, LANGUAGE_CHARS_MAX, NAME_CHARS_MAX, Rejection, State, TemplateApproved, TemplateCreated,
};
use crate::text::{is_prose, is_slug};

pub(super) fn decide(template: &State, command: Command) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Create { name, language, category, body, sandbox } => {
            create(template, name, language, category, body, sandbox)
        }
        Command::Approve => approve(template),
    }
}

fn create(
    template: &State,
    name: Arc<str>,
    language: Arc<str>,
    category: Category,
    body: Arc<str>,
    sandbox: Option<bool>,
) -> Result<Vec<Event>, Rejection> {
    if let Some(created) = &template.created {
        let same = (created.category, &created.body) == (category, &body);
        return if same { Ok(vec![]) } else { Err(Rejection::AlreadyWritten) };
    }
    let sandbox = sandbox.ok_or(Rejection::BusinessUnknown)?;
    if !is_slug(&name, NAME_CHARS_MAX, "_") {
        return Err(Rejection::BadName);
    }
    if !is_language(&language) {
        return Err(Rejection::BadLanguage);
    }
    match category {
        Category::Utility | Category::Marketing | Category::Authentication => {}
        Category::Service | Category::Unknown => return Err(Rejection::BadCategory),
    }
    if !is_prose(&body, TEMPLATE_CHARS_MAX) {
        return Err(Rejection::BadBody);
    }
    let variables = variables(&body).ok_or(Rejection::BadVariables)?;
    let approved = TemplateApproved { name: name.clone(), language: language.clone(), sandbox: true };
    let created = TemplateCreated { name, language, category, body, variables };
    // Nobody waits for a review only to try something out.
    let approved = sandbox.then_some(Event::TemplateApproved(approved));
    Ok([Event::TemplateCreated(created)].into_iter().chain(approved).collect())
}

fn approve(template: &State) -> Result<Vec<Event>, Rejection> {
    let created = template.created.as_ref().ok_or(Rejection::Unknown)?;
    if template.approved {
        return Ok(vec![]);
    }
    let (name, language) = (created.name.clone(), created.language.clone());
    Ok(vec![Event::TemplateApproved(TemplateApproved { name, language, sandbox: false })])
}

/// Whether `text` is a language, as `pt`, or one of a country, as `pt_BR`.
fn is_language(text: &str) -> bool {
    let letters = |part: &str, fits: fn(&u8) -> bool| part.bytes().all(|b| fits(&b));
    let (language, country) =
        text.split_once('_').map_or((text, None), |(language, country)| (language, Some(country)));
    text.len() <= LANGUAGE_CHARS_MAX
        && (2..=3).contains(&language.len())
        && letters(language, u8::is_ascii_lowercase)
        && country.is_none_or(|country| country.len() == 2 && letters(country, u8::is_ascii_uppercase))
}

/// How many variables a text has; none when they are not `{{1}}`, `{{2}}` … without a gap.
fn variables(body: &str) -> Option<i32> {
    let mut found = BTreeSet::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once("{{") {
        let (number, after) = after.split_once("}}")?;
        if before.contains("}}") || number.starts_with('0') || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        found.insert(number.parse::<i32>().ok()?);
        rest = after;
    }
    let count = i32::try_from(found.len()).ok()?;
    (!rest.contains("}}") && found.last().copied().unwrap_or(0) == count).then_some(count)
}
