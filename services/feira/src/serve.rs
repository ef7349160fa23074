//! `feira serve`: some of the services in this process, on Kafka and CQL.

mod watch;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use feira_gateway::{DevKey, GatewayParts, PlatformSecret, Verifier};
use feira_ids::ServiceName;
use feira_projection_store::Store;
use feira_rows::PRODUCTS_PROJECTION;
use feira_runtime::{Commands, RemoteCommands, Secret, rpc};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::watch::{PACE, Silence, Watch};
use crate::cli::{GATEWAY, Output, Serve};
use crate::failure::Failure;
use crate::health;
use crate::home::{Home, Servers};
use crate::journal::Journal;
use crate::services::{Known, Seat, Served};
use crate::settings::{Auth, Gateway, Settings};
use crate::{home, listen, secret_file, services, stop};

/// Serves until asked to stop.
pub async fn serve(args: Serve, output: Output) -> Result<ExitCode, Failure> {
    let settings = Settings::read(&args.config)?;
    let folder = args.folder.clone().or_else(|| settings.folder.clone());
    let folder =
        folder.ok_or_else(|| Failure::new("name the folder of this process: `folder` in the settings, or --folder"))?;
    let secret = rpc_secret(&settings)?;
    let stop = stop::on_signal()?;
    let (home, servers) = tokio::select! {
        home = Home::deployed(&settings, &folder) => home?,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    let watch = Arc::new(watch(&servers, &stop));
    let (served, answering) = (Vec::new(), Vec::new());
    let mut process = Process { home, servers, watch, settings, secret, stop, output, served, answering };
    let served = process.serve(&args.services).await;
    if served.is_ok() {
        process.stop.cancelled().await;
    }
    process.end().await;
    served.map(|()| ExitCode::SUCCESS)
}

/// What this process has going.
struct Process {
    home: Home,
    servers: Servers,
    watch: Arc<Watch>,
    settings: Settings,
    secret: Secret,
    stop: CancellationToken,
    output: Output,
    served: Vec<Arc<Served>>,
    answering: Vec<JoinHandle<()>>,
}

impl Process {
    async fn serve(&mut self, chosen: &[String]) -> Result<(), Failure> {
        let (log, shared) = (self.home.log.clone(), self.secret.clone());
        let names: Vec<_> = services::names().map(ServiceName::new).collect();
        let commands = tokio::task::spawn_blocking(move || RemoteCommands::new(log, &names, shared))
            .await
            .expect("asking for lanes does not panic")
            .map_err(|error| Failure::because("cannot find the lanes", error))?;
        let commands: Arc<dyn Commands> = Arc::new(commands);
        let asked = |name: &str| chosen.iter().any(|chosen| chosen == name);
        for known in services::ALL.iter().filter(|known| asked(known.name)) {
            let seat = self.settings.services.remove(known.name).ok_or_else(|| missing(known.name))?;
            self.start(known, seat).await?;
        }
        // The gateway comes last, so that what it asks for is there.
        if asked(GATEWAY) {
            self.gateway(commands.clone()).await?;
        }
        for served in &self.served {
            served.follow(&self.home, commands.clone()).await?;
        }
        Ok(())
    }

    async fn start(&mut self, known: &Known, seat: Seat) -> Result<(), Failure> {
        let listener = listen::bind(seat.listen).await?;
        let address = seat.advertise.unwrap_or_else(|| seat.listen.to_string());
        let served = Served::start(known, seat.catch_up, &self.home, &address).await?;
        self.answer(listener, served);
        Ok(())
    }

    /// Takes commands for a service's lanes, and says how it is.
    fn answer(&mut self, listener: TcpListener, served: Arc<Served>) {
        let (asked, watch) = (served.clone(), self.watch.clone());
        let routes = rpc::server([served.intake()], self.secret.clone());
        // What is missing below is why something is missing above.
        let ready = move || watch.waits_for().and_then(|()| asked.waits_for());
        let routes = routes.merge(health::routes(Arc::new(ready)));
        self.answering.push(listen::answer(listener, routes, self.stop.clone()));
        self.served.push(served);
    }

    async fn gateway(&mut self, commands: Arc<dyn Commands>) -> Result<(), Failure> {
        let Gateway { listen, limits } = self.settings.gateway.take().ok_or_else(|| missing("gateway"))?;
        let (verifier, secret) = callers(&self.settings.auth, listen)?;
        let listener = listen::bind(listen).await?;
        let address = listener.local_addr().map_err(|error| Failure::because("cannot listen", error))?;
        let keyring = home::connect_keys(&self.servers.cql).await?;
        let journal = Journal::new(self.home.log.clone(), self.stop.clone()).with_rows(self.home.store.clone());
        let watch = self.watch.clone();
        let router = feira_gateway::router(GatewayParts {
            commands,
            store: self.home.store.clone(),
            payments_lanes: services::payments_lanes(&*self.home.log)?,
            events: self.home.log.clone(),
            keyring,
            verifier,
            secret,
            log: Some(Arc::new(journal)),
            ready: Arc::new(move || watch.waits_for()),
            stop: self.stop.clone(),
            config: limits,
        });
        self.answering.push(listen::answer(listener, router, self.stop.clone()));
        match self.output {
            Output::Text => println!("GraphQL http://{address}/graphql"),
            Output::Json => println!("{}", serde_json::json!({ "graphql": format!("http://{address}/graphql") })),
        }
        Ok(())
    }

    /// Lets what is under way finish and hands the lanes over.
    async fn end(self) {
        self.stop.cancel();
        for answering in self.answering {
            if answering.await.is_err() {
                tracing::error!("answering failed in the program");
            }
        }
        services::shutdown(&self.served).await;
        tracing::info!("stopped");
    }
}

/// Looks from now on, until `stop`, whether the servers answer.
fn watch(servers: &Servers, stop: &CancellationToken) -> Watch {
    let (kafka, cql) = (servers.kafka.clone(), servers.cql.clone());
    let kafka_answers = move || {
        let kafka = kafka.clone();
        async move { Ok::<_, Silence>(tokio::task::spawn_blocking(move || kafka.answers(PACE.patience)).await??) }
    };
    // One row is read, as every read at a position does first.
    let cql_answers = move || {
        let cql = cql.clone();
        async move { Ok::<_, Silence>(cql.checkpoint(PRODUCTS_PROJECTION, "catalog/0").await.map(drop)?) }
    };
    Watch::new(PACE).over("Kafka", kafka_answers, stop).over("the CQL store", cql_answers, stop)
}

fn missing(section: &str) -> Failure {
    Failure::new(format!("the settings have no section [{section}]; it says where the service listens"))
}

fn rpc_secret(settings: &Settings) -> Result<Secret, Failure> {
    match (&settings.rpc.secret_file, &settings.auth.development_folder) {
        (Some(file), _) => secret_file::read(file),
        (None, Some(folder)) => secret_file::load_or_create(folder),
        (None, None) => Err(Failure::new(
            "processes have no secret in common: set secret_file in [rpc], or development_folder in [auth]",
        )),
    }
}

/// What checks tokens, and what names customers to businesses.
fn callers(auth: &Auth, listen: SocketAddr) -> Result<(Verifier, PlatformSecret), Failure> {
    let unusable = |what: &str| format!("{what} in [auth] cannot be used");
    let trusted = match (&auth.tokens, &auth.development_folder) {
        (Some(tokens), _) => tokens.clone(),
        (None, Some(folder)) => DevKey::load_or_create(folder)
            .and_then(|key| key.verifier_config(listen))
            .map_err(|error| Failure::because(unusable("development_folder"), error))?,
        (None, None) => return Err(Failure::new("nobody could sign in: set tokens or development_folder in [auth]")),
    };
    let verifier = Verifier::new(&trusted).map_err(|error| Failure::because(unusable("tokens"), error))?;
    let secret = match (&auth.platform_secret_file, &auth.development_folder) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::because(unusable("platform_secret_file"), error))?;
            PlatformSecret::from_hex(text.trim())
        }
        (None, Some(folder)) => PlatformSecret::load_or_create(folder),
        (None, None) => return Err(Failure::new("set platform_secret_file or development_folder in [auth]")),
    };
    Ok((verifier, secret.map_err(|error| Failure::because(unusable("the platform's secret"), error))?))
}
