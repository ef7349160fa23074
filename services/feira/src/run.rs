//! `feira run`: the whole platform in one process, for this machine only.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use feira_gateway::{DevKey, GatewayConfig, GatewayParts, Introspection, PlatformSecret, Verifier};
use feira_ids::Role;
use feira_runtime::LocalCommands;
use tokio_util::sync::CancellationToken;

use crate::cli::{Output, Run};
use crate::failure::Failure;
use crate::home::Home;
use crate::journal::Journal;
use crate::services::Served;
use crate::{home, listen, services, stop, token};

/// The businesses that have a demo feed.
const DEMO: [&str; 2] = ["feira-livre", "mumbai-bazaar"];
/// How long the tokens are good that are printed at start.
const TOKENS_VALID: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How often the state of the services is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Runs until asked to stop.
pub async fn run(args: Run, output: Output) -> Result<ExitCode, Failure> {
    let stop = stop::on_signal()?;
    let home = Home::embedded(&args.data)?;
    let keyring = home::open_keys(&args.data)?;
    let key = DevKey::load_or_create(&args.data).map_err(|error| Failure::because("cannot sign tokens", error))?;
    let trusted = key.verifier_config(args.listen).map_err(|error| Failure::because("cannot listen there", error))?;
    let verifier = Verifier::new(&trusted).map_err(|error| Failure::because("cannot check tokens", error))?;
    let secret = PlatformSecret::load_or_create(&args.data)
        .map_err(|error| Failure::because("cannot name customers to businesses", error))?;
    let listener = listen::bind(args.listen).await?;
    let address = listener.local_addr().map_err(|error| Failure::because("cannot listen", error))?;

    let served = start(&home).await?;
    let commands = Arc::new(LocalCommands::new(served.iter().map(|served| served.intake())));
    for service in &served {
        if let Err(failure) = service.follow(&home, commands.clone()).await {
            services::shutdown(&served).await;
            return Err(failure);
        }
    }
    let asked = served.clone();
    let ready = Arc::new(move || asked.iter().try_for_each(|served| served.waits_for()));
    let journal = Journal::new(home.log.clone(), stop.clone()).with_rows(home.store.clone());
    let router = feira_gateway::router(GatewayParts {
        commands,
        store: home.store.clone(),
        payments_lanes: services::payments_lanes(&*home.log)?,
        events: home.log.clone(),
        keyring,
        verifier,
        secret,
        log: Some(Arc::new(journal)),
        ready: ready.clone(),
        stop: stop.clone(),
        config: GatewayConfig { introspection: Introspection::Open, ..GatewayConfig::default() },
    });
    let answering = listen::answer(listener, router, stop.clone());
    if wait_ready(&*ready, &stop).await {
        say(&key, &args.data, &format!("http://{address}/graphql"), output)?;
    }
    stop.cancelled().await;
    let finished = answering.await;
    services::shutdown(&served).await;
    finished.map_err(|error| Failure::because("answering failed in the program", error))?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Starts every service; none is left running when one does not start.
async fn start(home: &Home) -> Result<Vec<Arc<Served>>, Failure> {
    let mut served = Vec::new();
    for known in services::ALL {
        match Served::start(known, None, home, "local").await {
            Ok(service) => served.push(service),
            Err(failure) => {
                services::shutdown(&served).await;
                return Err(failure);
            }
        }
    }
    Ok(served)
}

/// Waits until everything is served; not, when asked to stop before.
async fn wait_ready(ready: &dyn Fn() -> Result<(), String>, stop: &CancellationToken) -> bool {
    let mut look = tokio::time::interval(LOOK);
    while ready().is_err() {
        tokio::select! {
            _ = look.tick() => {}
            () = stop.cancelled() => return false,
        }
    }
    true
}

/// Prints tokens to try things with, and where to.
fn say(key: &DevKey, folder: &Path, url: &str, output: Output) -> Result<(), Failure> {
    let sign = |subject, role, tenant| token::sign(key, subject, role, tenant, "BR", TOKENS_VALID);
    let mut tokens = Vec::new();
    for tenant in DEMO {
        tokens.push((format!("admin of {tenant}"), sign("admin", Role::Admin, Some(tenant))?));
        tokens.push((format!("agent of {tenant}"), sign("agent", Role::Agent, Some(tenant))?));
    }
    tokens.push(("consumer".to_owned(), sign("ana", Role::Consumer, None)?));
    tokens.push(("operator".to_owned(), sign("operator", Role::Operator, None)?));
    match output {
        Output::Text => {
            println!("Tokens for development on this machine (more: feira token --data {} --help)", folder.display());
            tokens.iter().for_each(|(of, token)| println!("  {of:<23} {token}"));
            println!("GraphQL {url}");
        }
        Output::Json => {
            let tokens: serde_json::Map<_, _> = tokens.into_iter().map(|(of, token)| (of, token.into())).collect();
            println!("{}", serde_json::json!({ "graphql": url, "tokens": tokens }));
        }
    }
    Ok(())
}
