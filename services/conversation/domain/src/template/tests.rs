//! The rules of a template.

use super::*;
use crate::testing::history;

fn write(name: &str, language: &str, category: Category, body: &str, sandbox: Option<bool>) -> Command {
    Command::Create { name: name.into(), language: language.into(), category, body: body.into(), sandbox }
}

fn written(body: &str, variables: i32) -> Event {
    Event::TemplateCreated(TemplateCreated {
        name: "order_paid".into(),
        language: "pt_BR".into(),
        category: Category::Utility,
        body: body.into(),
        variables,
    })
}

fn approved(sandbox: bool) -> Event {
    Event::TemplateApproved(TemplateApproved { name: "order_paid".into(), language: "pt_BR".into(), sandbox })
}

fn with_body(body: &str) -> Command {
    write("order_paid", "pt_BR", Category::Utility, body, Some(false))
}

#[test]
fn a_template_is_written_once_and_approved() {
    history::<Template>([])
        .when(with_body("Olá, {{1}}!"))
        .then([written("Olá, {{1}}!", 1)])
        .when(with_body("Olá, {{1}}!"))
        .then([])
        .when(Command::Approve)
        .then([approved(false)])
        .when(Command::Approve)
        .then([])
        .when(with_body("Oi!"))
        .then_refused(Rejection::AlreadyWritten);
    history::<Template>([]).when(Command::Approve).then_refused(Rejection::Unknown);
}

#[test]
fn a_sandboxs_template_is_approved_at_once() {
    let command = write("order_paid", "pt_BR", Category::Utility, "Pago.", Some(true));
    history::<Template>([]).when(command).then([written("Pago.", 0), approved(true)]);
    let command = write("order_paid", "pt_BR", Category::Utility, "Pago.", None);
    history::<Template>([]).when(command).then_refused(Rejection::BusinessUnknown);
}

#[test]
fn variables_are_numbered_from_one_without_a_gap() {
    for (body, variables) in [("{{2}} {{1}} {{2}}", 2), ("a { b } {1}", 0), ("{{1}}{{2}}{{3}}", 3)] {
        history::<Template>([]).when(with_body(body)).then([written(body, variables)]);
    }
    for body in [
        "{{2}}",
        "{{0}}",
        "{{01}}",
        "{{a}}",
        "{{}}",
        "{{1",
        "1}}",
        "{{1}} {{3}}",
        "{{-1}}",
        "{{ 1 }}",
        "{{99999999999}}",
    ] {
        history::<Template>([]).when(with_body(body)).then_refused(Rejection::BadVariables);
    }
}

#[test]
fn a_template_has_a_name_a_language_a_use_and_a_text() {
    let refused = |name: &str, language: &str, category, body: &str, rejection| {
        history::<Template>([]).when(write(name, language, category, body, Some(false))).then_refused(rejection);
    };
    refused("Order", "pt", Category::Utility, "x", Rejection::BadName);
    refused("a.b", "pt", Category::Utility, "x", Rejection::BadName);
    for language in ["", "p", "PT", "pt-BR", "pt_br", "pt_BRA", "port"] {
        refused("a", language, Category::Utility, "x", Rejection::BadLanguage);
    }
    refused("a", "pt", Category::Service, "x", Rejection::BadCategory);
    refused("a", "pt", Category::Utility, " ", Rejection::BadBody);
    refused("a", "pt", Category::Utility, &"x".repeat(1_025), Rejection::BadBody);
    assert_eq!(Rejection::BadVariables.to_string(), "variables are numbered from 1 without a gap: {{1}}, {{2}}");
}
