//! Tokens for development, signed with the key of a data folder.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use feira_gateway::{DevKey, Issue};
use feira_ids::{Role, TenantId};

use crate::cli::{At, Output, RoleChoice, Token};
use crate::failure::Failure;

/// How long a token is good that a command of this binary signs for itself.
const OWN: Duration = Duration::from_secs(60 * 60);

/// Prints one token.
pub fn token(args: Token, output: Output) -> Result<ExitCode, Failure> {
    let role = match args.role {
        RoleChoice::Consumer => Role::Consumer,
        RoleChoice::Agent => Role::Agent,
        RoleChoice::Admin => Role::Admin,
        RoleChoice::Analyst => Role::Analyst,
        RoleChoice::Operator => Role::Operator,
    };
    let valid_for = Duration::from_secs(u64::from(args.hours) * 60 * 60);
    let key = existing_key(&args.data)?;
    let token = sign(&key, &args.subject, role, args.tenant.as_deref(), &args.country, valid_for)?;
    match output {
        Output::Text => println!("{token}"),
        Output::Json => println!("{}", serde_json::json!({ "token": token })),
    }
    Ok(ExitCode::SUCCESS)
}

/// The token to ask a gateway with: the one given, or one signed for `role` with the folder's key.
pub fn to_ask(at: &At, role: Role, tenant: Option<&str>) -> Result<String, Failure> {
    match &at.token {
        Some(token) => Ok(token.clone()),
        None => sign(&existing_key(&at.data)?, "feira", role, tenant, "BR", OWN),
    }
}

/// Signs a token.
pub fn sign(
    key: &DevKey,
    subject: &str,
    role: Role,
    tenant: Option<&str>,
    country: &str,
    valid_for: Duration,
) -> Result<String, Failure> {
    let tenant = tenant
        .map(|tenant| TenantId::new(tenant).map_err(|error| Failure::because(format!("--tenant {tenant:?}"), error)))
        .transpose()?;
    match role {
        Role::Consumer | Role::Operator | Role::Service if tenant.is_some() => {
            return Err(Failure::new("a consumer or an operator acts for no business: leave --tenant out"));
        }
        Role::Agent | Role::Admin | Role::Analyst if tenant.is_none() => {
            return Err(Failure::new(
                "an agent, admin or analyst acts for a business: name it with --tenant, or give a --token",
            ));
        }
        Role::Consumer | Role::Operator | Role::Service | Role::Agent | Role::Admin | Role::Analyst => {}
    }
    let country = (role == Role::Consumer).then_some(country);
    let issue = Issue { sub: subject, tenant: tenant.as_ref(), roles: &[role], country, valid_for };
    key.issue(&issue).map_err(|error| Failure::because("cannot sign a token", error))
}

/// The key of a folder that has one: a key made here would open nothing.
pub fn existing_key(folder: &Path) -> Result<DevKey, Failure> {
    if !folder.join("development-key").is_file() {
        let what = format!("there is no development key in {}", folder.display());
        return Err(Failure::new(format!("{what}; name the folder of `feira run` with --data, or give a --token")));
    }
    DevKey::load_or_create(folder).map_err(|error| Failure::because("cannot sign a token", error))
}
