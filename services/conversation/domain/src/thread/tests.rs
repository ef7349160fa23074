//! The rules of a thread, in a merchant's and a customer's words.

use std::sync::Arc;

use feira_commands::conversation::{MESSAGES_REMEMBERED, default_policy};
use feira_decider::{At, Decider, Given, Reject, fold};
use feira_events::Sealed;
use feira_money::Amount;
use proptest::prelude::*;

use super::*;
use crate::testing::history as history_of;

const HOUR: i64 = 60 * 60 * 1_000;
const T0: i64 = 1_764_104_400_000;
const POSITION: FactPosition = FactPosition { lane: 2, lane_seq: 40 };

fn history(events: impl IntoIterator<Item = Event>) -> Given<Thread> {
    history_of::<Thread>(events).at(At(T0))
}

fn sealed(bytes: usize) -> Sealed<String> {
    Sealed::from_parts("feira-livre/BR.1".into(), [7; 12], vec![9; bytes])
}

fn text() -> Content {
    Content::Text { body: sealed(30) }
}

fn ask(what: What) -> Command {
    Command { sender: "main".into(), customer: "BR.1".into(), what }
}

fn receive(id: &str, content: Content, sent_at: Option<i64>) -> Command {
    ask(What::Receive { message: id.into(), content, referral: None, sent_at, sender_open: true })
}

fn write(id: &str) -> Command {
    receive(id, text(), None)
}

fn from_ad(id: &str, sent_at: Option<i64>) -> Command {
    let referral = Some(Referral { source: ReferralSource::Ad, id: Some("ad-7".into()) });
    ask(What::Receive { message: id.into(), content: text(), referral, sent_at, sender_open: true })
}

fn send(id: &str, content: Content) -> Command {
    let (template, products) = (None, vec![]);
    ask(What::Send { message: id.into(), content, sender_open: true, template, products, agreed: None })
}

fn answer(id: &str) -> Command {
    send(id, text())
}

fn template(variables_count: i32) -> Content {
    let variables = (variables_count > 0).then(|| sealed(30));
    Content::Template { name: "order_paid".into(), language: "pt_BR".into(), variables, variables_count }
}

fn known(category: Category) -> Template {
    Template { category, variables: 2, approved: true, position: POSITION }
}

fn send_template(id: &str, category: Category, agreed: Option<bool>) -> Command {
    let (template, products) = (Some(known(category)), vec![]);
    let content = self::template(2);
    ask(What::Send { message: id.into(), content, sender_open: true, template, products, agreed })
}

fn receipt(id: &str, status: ReceiptStatus) -> Command {
    ask(What::Receipt { message: id.into(), status, at: None, code: None })
}

fn opened(by: Side) -> Event {
    Event::ThreadOpened(ThreadOpened { sender: "main".into(), customer: "BR.1".into(), country: "BR".into(), by })
}

fn window(window_until: i64) -> Windows {
    Windows { window_until: Some(window_until), ..Windows::default() }
}

fn received(id: &str, seq: i64, sent_at: i64, windows: Windows) -> MessageReceived {
    MessageReceived {
        message: id.into(),
        seq,
        sender: "main".into(),
        customer: "BR.1".into(),
        content: text(),
        referral: None,
        sent_at,
        received_at: sent_at,
        windows,
        previous_at: None,
    }
}

fn sent(id: &str, seq: i64, sent_at: i64, windows: Windows, previous_at: Option<i64>) -> MessageSent {
    MessageSent {
        message: id.into(),
        seq,
        sender: "main".into(),
        customer: "BR.1".into(),
        country: "BR".into(),
        content: text(),
        category: Category::Service,
        class: Class::Free,
        reason: ClassReason::InWindow,
        policy: "feira-1".into(),
        sent_at,
        windows,
        previous_at,
        facts: vec![],
    }
}

fn delivered(id: &str, seq: i64, sent_at: i64, delivered_at: i64) -> Event {
    Event::MessageDelivered(MessageDelivered {
        message: id.into(),
        seq,
        sender: "main".into(),
        customer: "BR.1".into(),
        country: "BR".into(),
        category: Category::Service,
        class: Class::Free,
        reason: ClassReason::InWindow,
        policy: "feira-1".into(),
        sent_at,
        delivered_at,
    })
}

/// The customer wrote at [`T0`].
fn talking() -> [Event; 2] {
    [opened(Side::Customer), Event::MessageReceived(received("c-1", 1, T0, window(T0 + 24 * HOUR)))]
}

/// The customer wrote at [`T0`], and the business answered.
fn answered() -> [Event; 3] {
    let [open, first] = talking();
    [open, first, Event::MessageSent(sent("b-1", 2, T0, window(T0 + 24 * HOUR), Some(T0)))]
}

/// What the business's only message of what `command` decides is to billing.
fn stamps(events: impl IntoIterator<Item = Event>, command: Command, at: i64) -> (Class, ClassReason) {
    let state = fold::<Thread>(&events.into_iter().collect::<Vec<_>>());
    let decided = Thread::decide(&state, command, At(at)).unwrap();
    let Some(Event::MessageSent(sent)) = decided.last() else { panic!("{decided:?}") };
    (sent.class, sent.reason)
}

#[test]
fn a_customers_first_message_opens_the_thread_and_the_window() {
    history([]).when(write("c-1")).then(talking());
    history(talking()).when(write("c-1")).then([]);
    let second = MessageReceived { previous_at: Some(T0), ..received("c-2", 2, T0, window(T0 + 24 * HOUR)) };
    history(talking()).when(write("c-2")).then([Event::MessageReceived(second)]);
}

#[test]
fn inside_the_window_the_business_writes_freely_and_free() {
    history(talking()).when(answer("b-1")).then([answered()[2].clone()]).when(answer("b-1")).then([]);
}

#[test]
fn the_window_ends_at_its_millisecond() {
    let end = T0 + 24 * HOUR;
    assert_eq!(stamps(talking(), answer("b-1"), end - 1), (Class::Free, ClassReason::InWindow));
    let refused = Rejection::WindowClosed { closed_at: Some(end) };
    history(talking()).at(At(end)).when(answer("b-1")).then_refused(refused.clone());
    assert_eq!(refused.code(), "WINDOW_CLOSED");
    assert_eq!(
        refused.to_string(),
        "131047: the service window closed at 2025-11-26T21:00:00.000Z; send a template, or wait for the customer's next \
         message"
    );
    history([]).when(answer("b-1")).then_refused(Rejection::WindowClosed { closed_at: None });
}

#[test]
fn a_template_is_free_or_charged_by_its_category_and_the_window() {
    let (inside, outside) = (T0 + 1, T0 + 24 * HOUR);
    let of = |category, at| stamps(talking(), send_template("b-1", category, Some(true)), at);
    assert_eq!(of(Category::Utility, inside), (Class::Free, ClassReason::InWindow));
    assert_eq!(of(Category::Utility, outside), (Class::Charged, ClassReason::Template));
    for category in [Category::Marketing, Category::Authentication] {
        assert_eq!(of(category, inside), (Class::Charged, ClassReason::Template));
        assert_eq!(of(category, outside), (Class::Charged, ClassReason::Template));
    }
}

#[test]
fn a_template_begins_a_thread_and_opens_no_window() {
    let expected = MessageSent {
        content: template(2),
        category: Category::Utility,
        class: Class::Charged,
        reason: ClassReason::Template,
        facts: vec![POSITION],
        ..sent("b-1", 1, T0, Windows::default(), None)
    };
    history([])
        .when(send_template("b-1", Category::Utility, None))
        .then([opened(Side::Business), Event::MessageSent(expected)])
        .when(answer("b-2"))
        .then_refused(Rejection::WindowClosed { closed_at: None });
}

#[test]
fn an_ad_that_is_answered_in_time_makes_everything_free_for_72_hours() {
    let state = fold::<Thread>(&[]);
    let first = Thread::decide(&state, from_ad("c-1", None), At(T0)).unwrap();
    let pending = fold::<Thread>(&first);
    assert_eq!(pending.windows.entry_pending_until, Some(T0 + 24 * HOUR));
    let promotion = |id: &str| send_template(id, Category::Marketing, Some(true));
    // The answer that opens the entry is itself free, at the last moment too.
    assert_eq!(stamps(first.clone(), promotion("b-1"), T0 + 24 * HOUR), (Class::Free, ClassReason::Entry));
    assert_eq!(stamps(first.clone(), promotion("b-1"), T0 + 24 * HOUR + 1), (Class::Charged, ClassReason::Template));
    let answer_at = T0 + HOUR;
    let answered: Vec<_> =
        first.into_iter().chain(Thread::decide(&pending, answer("b-1"), At(answer_at)).unwrap()).collect();
    let open = fold::<Thread>(&answered).windows;
    assert_eq!((open.entry_pending_until, open.entry_until), (None, Some(answer_at + 72 * HOUR)));
    let end = answer_at + 72 * HOUR;
    assert_eq!(stamps(answered.clone(), promotion("b-2"), end - 1), (Class::Free, ClassReason::Entry));
    assert_eq!(stamps(answered.clone(), promotion("b-2"), end), (Class::Charged, ClassReason::Template));
    // Writing freely still takes a message of the last 24 hours.
    history(answered)
        .at(At(end - 1))
        .when(answer("b-2"))
        .then_refused(Rejection::WindowClosed { closed_at: Some(T0 + 24 * HOUR) });
}

#[test]
fn only_a_first_message_from_an_ad_opens_the_entry() {
    let state = fold::<Thread>(&talking());
    let decided = Thread::decide(&state, from_ad("c-2", None), At(T0 + HOUR)).unwrap();
    let [Event::MessageReceived(second)] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(second.windows, window(T0 + 25 * HOUR));
    // Once the window is closed, the next message is a first one again.
    let decided = Thread::decide(&state, from_ad("c-2", None), At(T0 + 24 * HOUR)).unwrap();
    let [Event::MessageReceived(second)] = &decided[..] else { panic!("{decided:?}") };
    assert_eq!(second.windows.entry_pending_until, Some(T0 + 48 * HOUR));
    // A link is no ad.
    let referral = Some(Referral { source: ReferralSource::Link, id: None });
    let link =
        ask(What::Receive { message: "c-1".into(), content: text(), referral, sent_at: None, sender_open: true });
    let decided = Thread::decide(&State::default(), link, At(T0)).unwrap();
    assert_eq!(fold::<Thread>(&decided).windows, window(T0 + 24 * HOUR));
}

#[test]
fn a_lone_reaction_opens_and_extends_nothing() {
    let reaction = |message: &str| Content::Reaction { message: message.into(), emoji: Some(sealed(20)) };
    history([]).when(receive("c-1", reaction("b-1"), None)).then_refused(Rejection::MessageUnknown);
    let second = MessageReceived {
        content: reaction("c-1"),
        previous_at: Some(T0),
        ..received("c-2", 2, T0 + HOUR, window(T0 + 24 * HOUR))
    };
    history(talking())
        .at(At(T0 + HOUR))
        .when(receive("c-2", reaction("c-1"), None))
        .then([Event::MessageReceived(second)]);
}

#[test]
fn a_message_that_comes_late_counts_from_its_own_time() {
    // It was sent before the one that is known, and arrives after it.
    let late = MessageReceived {
        received_at: T0 + HOUR,
        previous_at: Some(T0),
        ..received("c-0", 2, T0 - HOUR, window(T0 + 24 * HOUR))
    };
    history(talking())
        .at(At(T0 + HOUR))
        .when(receive("c-0", text(), Some(T0 - HOUR)))
        .then([Event::MessageReceived(late)]);
    // One from the future counts from now.
    let early = MessageReceived { previous_at: Some(T0), ..received("c-2", 2, T0, window(T0 + 24 * HOUR)) };
    history(talking()).when(receive("c-2", text(), Some(i64::MAX))).then([Event::MessageReceived(early)]);
}

#[test]
fn receipts_in_any_order_and_again_only_raise_what_is_shown() {
    use ReceiptStatus::{Delivered, Failed, Read};
    let read = Event::MessageRead(MessageRead { message: "b-1".into(), seq: 2, read_at: T0 });
    let failed = Event::MessageFailed(MessageFailed { message: "b-1".into(), seq: 2, failed_at: T0, code: None });
    // What was read was delivered.
    history(answered())
        .when(receipt("b-1", Read))
        .then([delivered("b-1", 2, T0, T0), read.clone()])
        .when(receipt("b-1", Delivered))
        .then([])
        .when(receipt("b-1", Failed))
        .then([]);
    history(answered())
        .when(receipt("b-1", Delivered))
        .then([delivered("b-1", 2, T0, T0)])
        .when(receipt("b-1", Delivered))
        .then([])
        .when(receipt("b-1", Read))
        .then([read])
        .when(receipt("b-1", Read))
        .then([]);
    // A delivery that is told after a failure is one after all.
    history(answered())
        .when(receipt("b-1", Failed))
        .then([failed])
        .when(receipt("b-1", Failed))
        .then([])
        .when(receipt("b-1", Delivered))
        .then([delivered("b-1", 2, T0, T0)]);
}

#[test]
fn a_receipt_lies_between_the_message_and_now() {
    let told = |at| ask(What::Receipt { message: "b-1".into(), status: ReceiptStatus::Delivered, at, code: None });
    let at = |at| history(answered()).at(At(T0 + 9)).when(told(at));
    at(Some(T0 + 5)).then([delivered("b-1", 2, T0, T0 + 5)]);
    at(Some(i64::MIN)).then([delivered("b-1", 2, T0, T0)]);
    at(Some(i64::MAX)).then([delivered("b-1", 2, T0, T0 + 9)]);
    at(None).then([delivered("b-1", 2, T0, T0 + 9)]);
}

#[test]
fn only_messages_of_the_business_take_receipts() {
    let read = || receipt("c-1", ReceiptStatus::Read);
    history(answered()).when(read()).then_refused(Rejection::MessageUnknown);
    history([]).when(read()).then_refused(Rejection::MessageUnknown);
}

#[test]
fn a_thread_is_of_a_sender_that_is_open_and_a_customer_with_a_country() {
    let what =
        What::Receive { message: "c-1".into(), content: text(), referral: None, sent_at: None, sender_open: false };
    history([]).when(ask(what.clone())).then_refused(Rejection::SenderUnknown);
    let nobody = Command { customer: "ana".into(), ..ask(what) };
    history([]).when(nobody).then_refused(Rejection::BadCustomer);
}

#[test]
fn a_customer_sends_texts_products_and_reactions() {
    let total = Amount::new(1, "BRL".parse().unwrap());
    for content in [template(0), Content::OrderDetails { order: "o-1".into(), total }, Content::Unknown] {
        history([]).when(receive("c-1", content, None)).then_refused(Rejection::NotTheirs { from: Side::Customer });
    }
    history(talking()).when(send("b-1", Content::Unknown)).then_refused(Rejection::NotTheirs { from: Side::Business });
}

#[test]
fn a_text_has_at_most_4096_characters_of_four_bytes_and_is_sealed_for_the_customer() {
    let of = |bytes| Content::Text { body: sealed(bytes) };
    assert!(Thread::decide(&State::default(), receive("c-1", of(4_096 * 4 + 16), None), At(T0)).is_ok());
    let refused = Rejection::TooLong { chars_max: 4_096 };
    history([]).when(receive("c-1", of(4_096 * 4 + 17), None)).then_refused(refused);
    let body = Sealed::from_parts("feira-livre/BR.2".into(), [7; 12], vec![9; 30]);
    history([]).when(receive("c-1", Content::Text { body }, None)).then_refused(Rejection::SealedForAnother);
}

#[test]
fn a_template_is_known_approved_and_filled_in() {
    let with = |template: Option<Template>, content: Content| {
        let what =
            What::Send { message: "b-1".into(), content, sender_open: true, template, products: vec![], agreed: None };
        history(talking()).when(ask(what))
    };
    let (name, language): (Arc<str>, Arc<str>) = ("order_paid".into(), "pt_BR".into());
    with(None, template(2)).then_refused(Rejection::TemplateUnknown { name: name.clone(), language: language.clone() });
    let unapproved = Template { approved: false, ..known(Category::Utility) };
    with(Some(unapproved), template(2)).then_refused(Rejection::TemplateNotApproved { name, language });
    let refused = Rejection::TemplateVariables { wanted: 2, given: 1 };
    with(Some(known(Category::Utility)), template(1)).then_refused(refused);
    let refused = Rejection::TemplateVariables { wanted: 2, given: 0 };
    with(Some(known(Category::Utility)), template(0)).then_refused(refused);
}

#[test]
fn who_did_not_agree_gets_no_offers_and_who_opted_out_gets_nothing_of_the_kind() {
    let send = |category, agreed| history(talking()).when(send_template("b-1", category, agreed));
    send(Category::Marketing, None).then_refused(Rejection::NotOptedIn);
    send(Category::Marketing, Some(false)).then_refused(Rejection::OptedOut { category: Category::Marketing });
    send(Category::Utility, Some(false)).then_refused(Rejection::OptedOut { category: Category::Utility });
}

#[test]
fn products_that_are_shown_are_listed() {
    let show = |content: Content, listed: &[&str]| {
        let product = |sku: &&str| Product { sku: Arc::from(*sku), position: POSITION };
        let products = listed.iter().map(product).collect();
        ask(What::Send { message: "b-1".into(), content, sender_open: true, template: None, products, agreed: None })
    };
    let list = |sections: &[(&str, &[&str])]| Content::ProductList {
        header: None,
        sections: sections
            .iter()
            .map(|(title, skus)| Section {
                title: Arc::from(*title),
                skus: skus.iter().map(|sku| Arc::from(*sku)).collect(),
            })
            .collect(),
    };
    let both = list(&[("Cafés", &["CAFE"]), ("Chás", &["CHA"])]);
    let expected = MessageSent {
        content: both.clone(),
        facts: vec![POSITION, POSITION],
        ..sent("b-1", 2, T0, window(T0 + 24 * HOUR), Some(T0))
    };
    history(talking()).when(show(both.clone(), &["CHA", "CAFE"])).then([Event::MessageSent(expected)]);
    history(talking()).when(show(both, &["CAFE"])).then_refused(Rejection::ProductUnknown { sku: "CHA".into() });
    let many: Vec<&str> = vec!["CAFE"; 31];
    let sections: Vec<(&str, &[&str])> = vec![("Cafés", &["CAFE"]); 11];
    for broken in [
        list(&[]),
        list(&[("Cafés", &[])]),
        list(&[("", &["CAFE"]), ("Chás", &["CAFE"])]),
        list(&[("Cafés", &many)]),
        list(&sections),
        list(&[("A title that nobody could read", &["CAFE"])]),
    ] {
        history(talking()).when(show(broken, &["CAFE"])).then_refused(Rejection::BadSections);
    }
}

#[test]
fn a_thread_remembers_its_latest_messages_and_no_more() {
    let mut state = State::default();
    for i in 1..=MESSAGES_REMEMBERED + 3 {
        for event in Thread::decide(&state, write(&format!("c-{i}")), At(T0)).unwrap() {
            state = Thread::evolve(state, &event);
        }
    }
    assert_eq!((state.messages, state.latest.len()), (MESSAGES_REMEMBERED as i64 + 3, MESSAGES_REMEMBERED));
    assert!(state.message("c-3").is_none() && state.message("c-4").is_some());
}

fn any_receipt() -> impl Strategy<Value = ReceiptStatus> {
    prop_oneof![Just(ReceiptStatus::Delivered), Just(ReceiptStatus::Read), Just(ReceiptStatus::Failed)]
}

fn rank(status: ReceiptStatus) -> MessageStatus {
    match status {
        ReceiptStatus::Failed => MessageStatus::Failed,
        ReceiptStatus::Delivered => MessageStatus::Delivered,
        ReceiptStatus::Read => MessageStatus::Read,
    }
}

proptest! {
    #[test]
    fn in_whatever_order_receipts_come_a_message_stands_at_the_highest_and_is_booked_once(
        receipts in prop::collection::vec(any_receipt(), 0..12),
    ) {
        let mut state = fold::<Thread>(&answered());
        let mut booked = 0;
        for &status in &receipts {
            let before = state.message("b-1").unwrap().status;
            for event in Thread::decide(&state, receipt("b-1", status), At(T0 + 1)).unwrap() {
                booked += i32::from(matches!(event, Event::MessageDelivered(_)));
                state = Thread::evolve(state, &event);
            }
            prop_assert!(state.message("b-1").unwrap().status >= before);
        }
        let highest = receipts.iter().map(|status| rank(*status)).max().unwrap_or(MessageStatus::Sent);
        prop_assert_eq!(state.message("b-1").unwrap().status, highest);
        let arrived = receipts.iter().any(|status| *status != ReceiptStatus::Failed);
        prop_assert_eq!(booked, i32::from(arrived));
    }

    #[test]
    fn the_window_is_that_of_the_customers_latest_message_whatever_the_order_they_come_in(
        sent_at in prop::collection::vec(0i64..100 * HOUR, 1..20),
    ) {
        let at = At(T0 + 100 * HOUR);
        let mut state = State::default();
        let mut opened = 0;
        for (i, sent_at) in sent_at.iter().enumerate() {
            let before = state.windows.window_until;
            for event in Thread::decide(&state, receive(&format!("c-{i}"), text(), Some(T0 + sent_at)), at).unwrap() {
                opened += i32::from(matches!(event, Event::ThreadOpened(_)));
                state = Thread::evolve(state, &event);
            }
            prop_assert!(state.windows.window_until >= before);
        }
        let latest = sent_at.iter().max().unwrap();
        prop_assert_eq!(state.windows.window_until, Some(T0 + latest + 24 * HOUR));
        prop_assert_eq!(opened, 1);
    }

    #[test]
    fn what_a_send_would_be_is_what_it_is(
        offset in -2 * HOUR..100 * HOUR, ad in any::<bool>(), category in 0usize..3,
    ) {
        let category = [Category::Utility, Category::Marketing, Category::Authentication][category];
        let first = if ad { from_ad("c-1", None) } else { write("c-1") };
        let state = fold::<Thread>(&Thread::decide(&State::default(), first, At(T0)).unwrap());
        let at = T0 + offset.max(0);
        let told = default_policy().class(&state.windows, category, at);
        let decided = Thread::decide(&state, send_template("b-1", category, Some(true)), At(at)).unwrap();
        let [Event::MessageSent(sent)] = &decided[..] else { panic!("{decided:?}") };
        prop_assert_eq!(told.map(|verdict| (verdict.class, verdict.reason)), Some((sent.class, sent.reason)));
        let told = default_policy().class(&state.windows, Category::Service, at);
        prop_assert_eq!(told.is_some(), Thread::decide(&state, answer("b-1"), At(at)).is_ok());
    }
}
