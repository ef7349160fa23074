//! One of every event of conversations.

use std::sync::Arc;

use feira_events::conversation::{
    BusinessEvent, BusinessRegistered, Category, Channel, Class, ClassReason, ClockMoved, ContactEvent, ContactMet,
    Content, MessageDelivered, MessageFailed, MessageRead, MessageReceived, MessageSent, OptedIn, OptedOut, Profile,
    ProfileSet, Referral, ReferralSource, Section, SenderEvent, SenderOpened, Side, TemplateApproved, TemplateCreated,
    TemplateEvent, ThreadEvent, ThreadOpened, Windows,
};
use feira_events::{FactPosition, Sealed};
use feira_money::Amount;

use super::Sample;

const SENT_AT: i64 = 1_764_104_400_123;

/// Every event once; the first of each name is the one that golden files hold.
pub fn all() -> Vec<Sample> {
    let customer = || Arc::<str>::from("BR.1234");
    let profile = || Profile {
        about: Some("Cafés da serra".into()),
        description: None,
        address: Some("Rua da Feira, 12".into()),
        email: Some("oi@example.com".into()),
        vertical: Some("Alimentos".into()),
        websites: vec!["https://example.com".into()],
    };
    let mut samples = vec![
        Sample::Business(BusinessEvent::BusinessRegistered(BusinessRegistered {
            name: "Feira Livre".into(),
            profile: profile(),
            country: "BR".into(),
            sandbox: true,
        })),
        Sample::Business(BusinessEvent::ProfileSet(ProfileSet { name: "Feira Livre".into(), profile: profile() })),
        Sample::Business(BusinessEvent::ProfileSet(ProfileSet { name: "Feira".into(), profile: Profile::default() })),
        Sample::Business(BusinessEvent::ClockMoved(ClockMoved { offset_ms: 172_800_000, by_ms: 86_400_000 })),
        Sample::Sender(SenderEvent::SenderOpened(SenderOpened {
            sender: "main".into(),
            display_name: "Feira Livre".into(),
            channel: Channel::Chat,
        })),
        Sample::Contact(ContactEvent::ContactMet(ContactMet { customer: customer(), country: "BR".into() })),
        Sample::Contact(ContactEvent::OptedIn(OptedIn {
            customer: customer(),
            category: Category::Marketing,
            source: "https://example.com/novidades".into(),
            shown: "Quero receber novidades".into(),
        })),
        Sample::Contact(ContactEvent::OptedOut(OptedOut {
            customer: customer(),
            category: Category::Marketing,
            source: "conversation".into(),
        })),
        Sample::Template(TemplateEvent::TemplateCreated(TemplateCreated {
            name: "order_paid".into(),
            language: "pt_BR".into(),
            category: Category::Utility,
            body: "Olá, {{1}}! O pedido {{2}} foi pago. ☕".into(),
            variables: 2,
        })),
        Sample::Template(TemplateEvent::TemplateApproved(TemplateApproved {
            name: "order_paid".into(),
            language: "pt_BR".into(),
            sandbox: true,
        })),
        Sample::Thread(ThreadEvent::ThreadOpened(ThreadOpened {
            sender: "main".into(),
            customer: customer(),
            country: "BR".into(),
            by: Side::Customer,
        })),
        received(
            Content::Text { body: sealed() },
            Some(Referral { source: ReferralSource::Ad, id: Some("ad-7".into()) }),
        ),
        received(Content::Reaction { message: "m-1".into(), emoji: None }, None),
    ];
    samples.extend(contents().into_iter().map(sent));
    samples.extend([
        Sample::Thread(ThreadEvent::MessageDelivered(MessageDelivered {
            message: "m-2".into(),
            seq: 2,
            sender: "main".into(),
            customer: customer(),
            country: "BR".into(),
            category: Category::Utility,
            class: Class::Charged,
            reason: ClassReason::Template,
            policy: "feira-1".into(),
            sent_at: SENT_AT,
            delivered_at: SENT_AT + 900,
        })),
        Sample::Thread(ThreadEvent::MessageRead(MessageRead {
            message: "m-2".into(),
            seq: 2,
            read_at: SENT_AT + 2_000,
        })),
        Sample::Thread(ThreadEvent::MessageFailed(MessageFailed {
            message: "m-3".into(),
            seq: 3,
            failed_at: SENT_AT + 2_000,
            code: Some("131026".into()),
        })),
    ]);
    samples
}

fn sealed() -> Sealed<String> {
    Sealed::from_parts("feira-livre/BR.1234".into(), *b"twelve bytes", vec![0, 1, 2, 254, 255])
}

fn contents() -> Vec<Content> {
    let amount = Amount::new(2_490, "BRL".parse().unwrap());
    let section = |title: &str| Section { title: title.into(), skus: vec!["CAFE-250".into(), "CHA-100".into()] };
    vec![
        Content::Template {
            name: "order_paid".into(),
            language: "pt_BR".into(),
            variables: Some(sealed()),
            variables_count: 2,
        },
        Content::Text { body: sealed() },
        Content::Reaction { message: "m-1".into(), emoji: Some(sealed()) },
        Content::Product { sku: "CAFE-250".into(), body: Some(sealed()) },
        Content::Product { sku: "CAFE-250".into(), body: None },
        Content::ProductList { header: Some(sealed()), sections: vec![section("Cafés"), section("Chás")] },
        Content::OrderDetails { order: "o-1".into(), total: amount },
        Content::OrderStatus { order: "o-1".into(), status: "CANCELLED".into(), reason: Some("OUT_OF_STOCK".into()) },
        Content::MoneyRequest { request: "r-1".into(), amount },
        Content::Unknown,
    ]
}

fn received(content: Content, referral: Option<Referral>) -> Sample {
    Sample::Thread(ThreadEvent::MessageReceived(MessageReceived {
        message: "m-1".into(),
        seq: 1,
        sender: "main".into(),
        customer: "BR.1234".into(),
        content,
        referral,
        sent_at: SENT_AT,
        received_at: SENT_AT + 5,
        windows: Windows {
            window_until: Some(SENT_AT + 86_400_000),
            entry_pending_until: Some(SENT_AT + 86_400_000),
            entry_until: None,
        },
        previous_at: None,
    }))
}

fn sent(content: Content) -> Sample {
    Sample::Thread(ThreadEvent::MessageSent(MessageSent {
        message: "m-2".into(),
        seq: 2,
        sender: "main".into(),
        customer: "BR.1234".into(),
        country: "BR".into(),
        content,
        category: Category::Utility,
        class: Class::Charged,
        reason: ClassReason::Template,
        policy: "feira-1".into(),
        sent_at: SENT_AT,
        windows: Windows { window_until: Some(SENT_AT), entry_pending_until: None, entry_until: Some(SENT_AT) },
        previous_at: Some(SENT_AT - 1),
        facts: vec![FactPosition { lane: 2, lane_seq: 40 }],
    }))
}
