//! GraphQL over HTTP: forms, statuses, limits; and that no bytes make the gateway fall over.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use proptest::prelude::*;
use serde_json::json;

use crate::support::{Reply, SHOP, World, world};

const RESPONSE: &str = "application/graphql-response+json";

async fn post_raw(world: &World, content_type: Option<&str>, accept: Option<&str>, body: impl Into<Body>) -> Reply {
    let mut request = Request::post("/graphql");
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    if let Some(accept) = accept {
        request = request.header(header::ACCEPT, accept);
    }
    world.send(request.body(body.into()).unwrap()).await
}

async fn get(world: &World, uri: &str) -> Reply {
    world.send(Request::get(uri).header(header::ACCEPT, RESPONSE).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn statuses_say_what_was_wrong_with_the_request() {
    let world = world().await;
    let json = Some("application/json");
    let of =
        async |content_type, accept, body: &str| post_raw(&world, content_type, accept, body.to_owned()).await.status;
    let good = r#"{"query":"{ __typename }"}"#;
    assert_eq!(of(json, Some(RESPONSE), good).await, StatusCode::OK);
    assert_eq!(of(Some("application/json; charset=UTF-8"), None, good).await, StatusCode::OK);
    assert_eq!(of(Some("text/plain"), Some(RESPONSE), good).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(of(None, Some(RESPONSE), good).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(of(Some("application/json; charset=latin1"), None, good).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(of(json, Some("text/html"), good).await, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(of(json, None, "{").await, StatusCode::BAD_REQUEST);
    assert_eq!(of(json, None, r#"[{"query":"{ __typename }"}]"#).await, StatusCode::BAD_REQUEST);
    assert_eq!(of(json, None, r#"["{ __typename }"]"#).await, StatusCode::BAD_REQUEST);
    assert_eq!(of(json, Some(RESPONSE), r#"{"query":"{ nothing }"}"#).await, StatusCode::BAD_REQUEST);
    assert_eq!(of(json, None, r#"{"query":"{ nothing }"}"#).await, StatusCode::OK);
    let long = format!(r#"{{"query":"{{ __typename }}","variables":{{"a":"{}"}}}}"#, "x".repeat(128 * 1024));
    assert_eq!(of(json, None, &long).await, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_request_that_was_not_run_has_no_data() {
    let world = world().await;
    for query in ["{", "{ nothing }", "query A { __typename } query B { __typename }"] {
        let reply = world.post(None, &json!({ "query": query }), &[]).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(reply.json().get("data").is_none() && !reply.codes().is_empty(), "{}", reply.text());
    }
}

#[tokio::test]
async fn by_get_only_queries_run() {
    let world = world().await;
    assert_eq!(get(&world, "/graphql?query=%7B__typename%7D").await.json()["data"]["__typename"], "Query");
    let mutation = "mutation%20M%20%7B__typename%7D";
    let reply = get(&world, &format!("/graphql?query={mutation}")).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.headers[header::ALLOW], "POST");
    // The operation that is named decides, not the first one.
    let both = format!("query%20Q%20%7B__typename%7D%20{mutation}");
    assert_eq!(get(&world, &format!("/graphql?query={both}&operationName=Q")).await.status, StatusCode::OK);
    let named = get(&world, &format!("/graphql?query={both}&operationName=M")).await;
    assert_eq!(named.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_as_json() {
    let world = world().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let reply = world.send(Request::builder().method(method).uri("/graphql").body(Body::empty()).unwrap()).await;
        assert_eq!(
            (reply.status, &reply.headers[header::ALLOW]),
            (StatusCode::METHOD_NOT_ALLOWED, &"GET, POST".parse().unwrap())
        );
        assert_eq!(reply.codes(), ["METHOD_NOT_ALLOWED"]);
    }
    let reply = get(&world, "/nothing").await;
    assert_eq!((reply.status, reply.codes()), (StatusCode::NOT_FOUND, vec!["NOT_FOUND".to_owned()]));
    assert_eq!(get(&world, "/health/live").await.status, StatusCode::OK);
    assert_eq!(get(&world, "/health/ready").await.status, StatusCode::OK);
}

#[tokio::test]
async fn queries_that_cost_too_much_are_refused() {
    let world = world().await;
    let token = world.admin(SHOP);
    let aliases: String = (0..201).map(|i| format!(" a{i}: __typename")).collect();
    let deep = format!("{{ __type(name: \"Cart\") {{ {} name {} }} }}", "ofType { ".repeat(13), "}".repeat(13));
    let wide = "{ products(first: 100) { edges { node { id sku title } } } }".replace("{ products", "{ a: products");
    let many: String =
        (0..60).map(|i| format!(" p{i}: products(first: 100) {{ edges {{ node {{ id sku title }} }} }}")).collect();
    for query in [format!("{{ {aliases} }}"), deep, format!("{{ {many} }}"), "{ a ".repeat(100)] {
        let reply = world.ask(&token, &query).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}: {}", reply.text());
        assert!(reply.json().get("data").is_none());
    }
    assert_eq!(world.ask(&token, &wide).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_schema_is_shown_to_who_is_signed_in_and_unknown_fields_are_not_guessed_at() {
    let world = world().await;
    let query = json!({ "query": "{ ...S } fragment S on Query { __schema { queryType { name } } }" });
    let refused = world.post(None, &query, &[]).await;
    assert_eq!(refused.codes(), ["FORBIDDEN"]);
    let shown = world.post(Some(&world.person("ana")), &query, &[]).await;
    assert_eq!(shown.json()["data"]["__schema"]["queryType"]["name"], "Query");
    let wrong = world.post(None, &json!({ "query": "{ product(sku: \"x\") { titel } }" }), &[]).await;
    assert!(!wrong.text().contains("title"), "{}", wrong.text());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_body_makes_a_fault(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let status = runtime().block_on(async {
            post_raw(&world().await, Some("application/json"), Some(RESPONSE), body).await.status
        });
        prop_assert!(status.as_u16() < 500);
    }

    #[test]
    fn no_query_makes_a_fault(
        words in proptest::collection::vec(proptest::sample::select(vec![
            "{", "}", "(", ")", "[", "]", "query", "mutation", "fragment", "on", "Query", "...", "$a", ":", "!", "=", "@skip",
            "product", "products", "cart", "lines", "sku", "\"", "\"\"\"", "first", "1", "-1", "99999999999999999999", "null",
            "\u{feff}", "#", "\n", "edges", "node", "id", "viewer", "position", "cartAddItem", "input", "é", "\\",
        ]), 0..60),
        variables in proptest::option::of(".{0,40}"),
    ) {
        let body = json!({ "query": words.join(" "), "variables": { "a": variables } });
        let status = runtime().block_on(async {
            let world = world().await;
            world.post(Some(&world.admin(SHOP)), &body, &[]).await.status
        });
        prop_assert!(status.as_u16() < 500);
    }

    #[test]
    fn no_header_makes_a_fault(value in "[ -~]{0,60}", name in proptest::sample::select(vec![
        "authorization", "x-feira-position", "idempotency-key", "traceparent", "accept", "content-type",
    ])) {
        let status = runtime().block_on(async {
            world().await.post(None, &json!({ "query": "{ __typename }" }), &[(name, &value)]).await.status
        });
        prop_assert!(status.as_u16() < 500);
    }
}
