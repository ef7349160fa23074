//! The published schema: the file says what the program says, and everything in it is described.

use std::path::Path;

use serde_json::Value;

use crate::support::{SHOP, world};

#[test]
fn the_schema_in_the_repository_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/graphql/schema.graphql");
    let served = feira_gateway::sdl();
    if std::env::var("FEIRA_GOLDEN").as_deref() == Ok("write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &served).unwrap();
    }
    let published = std::fs::read_to_string(&path).expect("schemas/graphql/schema.graphql is there");
    assert!(
        published == served,
        "schemas/graphql/schema.graphql differs from the program: if the change breaks no client, run this test with FEIRA_GOLDEN=write"
    );
}

#[tokio::test]
async fn everything_in_the_schema_is_described() {
    let world = world().await;
    let query = "{ __schema { types { name description fields { name description args { name description } } inputFields { name description } enumValues { name description } } } }";
    let types = world.data(&world.admin(SHOP), query).await["__schema"]["types"].clone();
    let mut bare = Vec::new();
    let mut check = |path: String, part: &Value| {
        if part["description"].as_str().is_none_or(str::is_empty) {
            bare.push(path);
        }
    };
    for kind in types.as_array().unwrap() {
        let name = kind["name"].as_str().unwrap();
        if name.starts_with("__") || ["Boolean", "Float", "ID", "Int", "String"].contains(&name) {
            continue;
        }
        check(name.to_owned(), kind);
        for part in ["fields", "inputFields", "enumValues"] {
            for field in kind[part].as_array().into_iter().flatten() {
                let path = format!("{name}.{}", field["name"].as_str().unwrap());
                for argument in field["args"].as_array().into_iter().flatten() {
                    check(format!("{path}({})", argument["name"].as_str().unwrap()), argument);
                }
                check(path, field);
            }
        }
    }
    assert!(bare.is_empty(), "without a description: {bare:?}");
}
