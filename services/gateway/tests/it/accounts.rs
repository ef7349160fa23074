//! Tokens: which are taken, and what a caller is made of them.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feira_gateway::{DevKey, Issue, Verifier};
use feira_ids::{Role, TenantId};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{SHOP, World, world};

const VIEWER: &str = "{ viewer { kind subject business roles } }";

async fn status(world: &World, token: &str) -> StatusCode {
    world.ask(token, VIEWER).await.status
}

fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_says_who_asks() {
    let world = world().await;
    let viewer = world.data(&world.admin(SHOP), VIEWER).await["viewer"].clone();
    assert_eq!(viewer, json!({ "kind": "MEMBER", "subject": "rosa", "business": SHOP, "roles": ["ADMIN"] }));
    let reply = world.post(None, &json!({ "query": VIEWER }), &[]).await;
    assert_eq!(reply.json()["data"]["viewer"], Value::Null);
}

#[tokio::test]
async fn forged_expired_and_misdirected_tokens_are_refused() {
    let world = world().await;
    let good = world.admin(SHOP);
    assert_eq!(status(&world, &good).await, StatusCode::OK);
    let tenant = TenantId::new(SHOP).unwrap();
    let issue = Issue {
        sub: "rosa",
        tenant: Some(&tenant),
        roles: &[Role::Admin],
        country: None,
        valid_for: Duration::from_secs(60),
    };
    let other_key = DevKey::from_seed(&[9; 32]).issue(&issue).unwrap();
    let expired = world.key.issue(&Issue { valid_for: Duration::ZERO, ..issue }).unwrap();
    let mut escalated = claims(&good);
    escalated["tenant"] = json!("mumbai-bazaar");
    let parts: Vec<&str> = good.split('.').collect();
    let body = URL_SAFE_NO_PAD.encode(escalated.to_string());
    let changed = format!("{}.{body}.{}", parts[0], parts[2]);
    let unsigned = format!("{}.{body}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"development"}"#));
    let header = Header { kid: Some("development".to_owned()), ..Header::new(Algorithm::HS256) };
    let symmetric = jsonwebtoken::encode(&header, &claims(&good), &EncodingKey::from_secret(b"secret")).unwrap();
    for token in
        [other_key, expired, changed, unsigned, symmetric, good[..good.len() - 2].to_owned(), "x".repeat(9_000)]
    {
        let reply = world.ask(&token, VIEWER).await;
        assert_eq!(
            (reply.status, reply.codes()),
            (StatusCode::UNAUTHORIZED, vec!["UNAUTHENTICATED".to_owned()]),
            "{token}"
        );
    }
}

/// A token with any claims, signed by the key made of `seed`.
fn signed(seed: &[u8; 32], claims: &Value) -> String {
    // RFC 8410: a private key of Ed25519 is its seed behind these bytes.
    const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let header = Header { kid: Some("development".to_owned()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&[&PKCS8[..], seed].concat())).unwrap()
}

#[test]
fn a_token_opens_nothing_before_its_time() {
    const SEED: [u8; 32] = [9; 32];
    let key = DevKey::from_seed(&SEED);
    let verifier = Verifier::new(&key.verifier_config("127.0.0.1:1".parse().unwrap()).unwrap()).unwrap();
    let valid_for = Duration::from_secs(7_200);
    let issue = Issue { sub: "ana", tenant: None, roles: &[Role::Consumer], country: Some("BR"), valid_for };
    let issued = claims(&key.issue(&issue).unwrap());
    let from = |nbf: u64| {
        let mut claims = issued.clone();
        claims["nbf"] = json!(nbf);
        verifier.verify(&signed(&SEED, &claims))
    };
    let expires = issued["exp"].as_u64().unwrap();
    assert!(from(expires - 7_300).is_ok());
    assert!(from(expires - 3_600).is_err());
}

#[test]
fn a_token_may_be_for_several_and_must_be_for_us() {
    const SEED: [u8; 32] = [9; 32];
    let key = DevKey::from_seed(&SEED);
    let verifier = Verifier::new(&key.verifier_config("127.0.0.1:1".parse().unwrap()).unwrap()).unwrap();
    let valid_for = Duration::from_secs(60);
    let issue = Issue { sub: "ana", tenant: None, roles: &[Role::Consumer], country: Some("BR"), valid_for };
    let issued = claims(&key.issue(&issue).unwrap());
    let with = |claim: &str, value: Value| {
        let mut claims = issued.clone();
        claims[claim] = value;
        verifier.verify(&signed(&SEED, &claims)).is_ok()
    };
    assert!(with("aud", json!([issued["aud"], "another"])));
    assert!(!with("aud", json!(["another"])));
    assert!(!with("aud", Value::Null));
    assert!(!with("iss", json!("another")));
    assert!(!with("iss", Value::Null));
}

#[tokio::test]
async fn claims_that_do_not_go_together_make_no_caller() {
    let world = world().await;
    let tenant = TenantId::new(SHOP).unwrap();
    let platform = TenantId::new("platform").unwrap();
    let cases: [(Option<&TenantId>, &[Role], Option<&str>); 8] = [
        (None, &[Role::Admin], None),
        (Some(&tenant), &[Role::Consumer], Some("BR")),
        (Some(&tenant), &[Role::Operator], None),
        (Some(&tenant), &[], None),
        (Some(&platform), &[Role::Admin], None),
        (None, &[Role::Consumer], None),
        (None, &[Role::Consumer], Some("br")),
        (None, &[Role::Consumer, Role::Operator], Some("BR")),
    ];
    for (tenant, roles, country) in cases {
        let token = world.key.issue(&Issue { sub: "eva", tenant, roles, country, valid_for: Duration::from_secs(60) });
        assert_eq!(status(&world, &token.unwrap()).await, StatusCode::UNAUTHORIZED, "{tenant:?} {roles:?} {country:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_token_with_any_byte_changed_is_refused(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_-]") {
        let status = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let world = world().await;
            let good = world.admin(SHOP);
            let mut bytes = good.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = to.as_bytes()[0];
            let changed = String::from_utf8(bytes).unwrap();
            // The last letter of a base64 text has bits that mean nothing: those are taken or refused, never misread.
            if changed == good || at + 1 == good.len() { StatusCode::UNAUTHORIZED } else { status(&world, &changed).await }
        });
        prop_assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}
