//! A service, a simulated Vonage, and a folder to run `doctor` in.

mod process;
mod proxy;
mod tls;

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use click_to_call::{
    simulator::{self, Scenario, SeededApplication, SeededNumber, Simulator, SimulatorConfig},
    vonage::{
        account::{AccountClient, applications::Wanted},
        hosts::Region,
    },
};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding},
    rand_core::OsRng,
};
use tempfile::TempDir;
use url::Url;

pub(crate) use self::{
    process::{Report, Service, command, run},
    proxy::Proxy,
    tls::{Authority, TlsServer},
};

pub(crate) const APPLICATION: &str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
pub(crate) const OTHER_APPLICATION: &str = "bbbbbbbb-bbbb-cccc-dddd-0123456789ab";
pub(crate) const NUMBER: &str = "442079460000";
pub(crate) const API_SECRET: &str = "canary-api-secret-of-more-than-32-letters";
pub(crate) const SIGNATURE_SECRET: &str = "canary-signature-secret-of-more-than-32-letters";
pub(crate) const SESSION_SECRET: &str = "canary-session-secret-of-more-than-32-letters";

/// Making a key is slow, so one serves the whole run.
static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(new_key);

pub(crate) fn new_key() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut OsRng, 2_048).unwrap()
}

pub(crate) fn pem(key: &RsaPrivateKey) -> String {
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
}

/// Everything in order: whatever a test wants to be wrong it has to break.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    /// Between doctor and Vonage.
    pub(crate) vonage: Proxy,
    pub(crate) service: Service,
    /// Between doctor and the service.
    pub(crate) front: Proxy,
    pub(crate) folder: Folder,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// A world whose settings (of service and doctor) `change` has seen.
    pub(crate) async fn with(change: impl FnOnce(&mut Folder)) -> Self {
        let simulator = simulator().await;
        let vonage = Proxy::start(simulator.base_url().to_owned()).await;
        let mut folder = Folder::new(&vonage.url);
        change(&mut folder);
        let service = Service::start(&folder);
        let front = Proxy::start(service.url.clone()).await;
        let port = service.url.rsplit(':').next().unwrap();
        folder.set("PORT", port);
        folder.set("PUBLIC_URL", &front.url);
        let world = Self {
            simulator,
            vonage,
            service,
            front,
            folder,
        };
        world.adopt_application().await;
        world
    }

    /// Makes the application what the service needs.
    async fn adopt_application(&self) {
        let account = self.account();
        let mut application = account.application(APPLICATION).await.unwrap();
        let public_key = application.public_key().unwrap().to_owned();
        let public_url = Url::parse(&self.front.url).unwrap();
        Wanted::for_service(public_key, public_url, Region::Us).apply(&mut application);
        account.replace_application(&application).await.unwrap();
    }

    /// The account's side of Vonage, without the proxy.
    pub(crate) fn account(&self) -> AccountClient {
        let url = Url::parse(self.simulator.base_url()).unwrap();
        AccountClient::new("abcd1234".to_owned(), API_SECRET.into(), &url, url.clone()).unwrap()
    }

    /// What doctor finds.
    pub(crate) async fn doctor(&self) -> Report {
        self.folder.doctor(&[]).await
    }

    /// What doctor finds with these variables changed; an empty value takes one away.
    pub(crate) async fn doctor_with(&self, changes: &[(&str, &str)]) -> Report {
        let mut folder = self.folder.variables.clone();
        for (name, value) in changes {
            if value.is_empty() {
                folder.remove(*name);
            } else {
                folder.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        process::doctor(self.folder.path(), &folder, &[]).await
    }
}

pub(crate) async fn simulator() -> Simulator {
    let application = |id: &str| SeededApplication {
        id: id.to_owned(),
        name: "Support".to_owned(),
        public_key: KEY
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .unwrap(),
        answer_url: None,
        fallback_url: None,
        event_url: None,
        signed_callbacks: true,
        users: Vec::new(),
    };
    let config = SimulatorConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        api_key: "abcd1234".to_owned(),
        api_secret: API_SECRET.into(),
        signature_secret: SIGNATURE_SECRET.into(),
        applications: vec![application(APPLICATION), application(OTHER_APPLICATION)],
        numbers: vec![SeededNumber {
            country: "GB".to_owned(),
            msisdn: NUMBER.to_owned(),
            kind: "landline".to_owned(),
            features: vec!["VOICE".to_owned()],
            cost: "1.00".to_owned(),
            initial_price: None,
            owned: true,
            application_id: Some(APPLICATION.to_owned()),
        }],
        scenario: Scenario::default(),
        seed: 1,
    };
    simulator::start(config).await.unwrap()
}

/// A working directory with a key in it, and the variables of what runs there.
pub(crate) struct Folder {
    folder: TempDir,
    pub(crate) variables: BTreeMap<String, String>,
}

impl Folder {
    pub(crate) fn new(vonage_url: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let variables = [
            ("VONAGE_APPLICATION_ID", APPLICATION),
            ("VONAGE_API_KEY", "abcd1234"),
            ("VONAGE_API_SECRET", API_SECRET),
            ("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET),
            ("SESSION_SECRET", SESSION_SECRET),
            ("VONAGE_NUMBER", NUMBER),
            ("DESTINATION_PHONE_NUMBER", "447700900000"),
            ("VONAGE_API_URL", vonage_url),
            ("VONAGE_REST_URL", vonage_url),
            ("VONAGE_CLIENT_API_URL", vonage_url),
            ("VONAGE_WEBSOCKET_URL", vonage_url),
            // The proxy before the service.
            ("CLICK_TO_CALL__HTTP__TRUSTED_PROXIES", "127.0.0.1/32"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let new = Self {
            folder,
            variables: variables.into(),
        };
        new.write_key(&pem(&KEY), 0o600);
        new
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn write_key(&self, content: &str, mode: u32) {
        let path = self.write("private.key", content);
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// What doctor finds here.
    pub(crate) async fn doctor(&self, args: &[&str]) -> Report {
        process::doctor(self.path(), &self.variables, args).await
    }
}
