//! Servers on one database, beside one Vonage, and what visitors and Vonage do at each of them.

use std::time::Duration;

use click_to_call::domain::clock::Clock;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    call_stream::CallStream, cluster::Cluster, place::Place, service::Service, vonage::VonageStub,
    webhook_signature,
};

const APPLICATION: &str = "78d335fa-323d-0114-9c3d-d6f0d48968cf";
const SECRET: &str = "a-signature-secret-of-32-letters";

/// Vonage waits no longer for a webhook.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database and a Vonage.
pub(crate) struct World<'a> {
    cluster: &'a Cluster,
    pub(crate) database: String,
    pub(crate) vonage: VonageStub,
    pub(crate) place: Place,
}

impl World<'static> {
    pub(crate) async fn new() -> Self {
        World::on(Cluster::shared()).await
    }
}

impl<'a> World<'a> {
    /// With an empty database on this cluster.
    pub(crate) async fn on(cluster: &'a Cluster) -> Self {
        let vonage = VonageStub::start().await;
        let mut place = Place::ready();
        for (name, value) in [
            ("VONAGE_API_URL", vonage.url()),
            ("VONAGE_REST_URL", vonage.url()),
            ("CLICK_TO_CALL__VONAGE__USERS_PER_SECOND", "100".to_owned()),
            (
                "CLICK_TO_CALL__VISITORS__SESSIONS_PER_MINUTE",
                "10000".to_owned(),
            ),
            ("RUST_LOG", "warn,click_to_call::cli=info".to_owned()),
        ] {
            place.set(name, &value);
        }
        Self {
            cluster,
            database: cluster.create_database().await,
            vonage,
            place,
        }
    }

    /// Starts a server; its connections bear its name.
    pub(crate) fn start(&self, name: &str) -> Replica {
        let mut command = self.place.command(&["serve"]);
        let url = self.cluster.url(&self.database);
        command.env("DATABASE_URL", format!("{url}?application_name={name}"));
        let service = Service::spawn(command);
        let http = reqwest::Client::builder().build().unwrap();
        let door = Door {
            url: service.url.clone(),
            http,
        };
        Replica { service, door }
    }

    pub(crate) fn start_two(&self) -> [Replica; 2] {
        [self.start("one"), self.start("two")]
    }

    /// The superuser's connection to the database.
    pub(crate) async fn admin(&self) -> PgConnection {
        self.cluster.admin(&self.database).await
    }

    pub(crate) async fn number(&self, query: &str) -> i64 {
        number(&mut self.admin().await, query).await
    }

    /// Makes the time pass for which the work of a killed server is nobody else's.
    pub(crate) async fn end_leases_of(&self, name: &str) {
        let mut admin = self.admin().await;
        // What it had sent before it was killed is done by then.
        let connected =
            format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
        let going = async { while number(&mut admin, &connected).await > 0 {} };
        tokio::time::timeout(PATIENCE, going).await.unwrap();
        sqlx::query(
            "UPDATE calls SET hangup_claimed_until = 0 WHERE hangup_claimed_by IS NOT NULL",
        )
        .execute(&mut admin)
        .await
        .unwrap();
    }

    /// The requests to hang up this leg so far.
    pub(crate) async fn hangups(&self, leg: &str) -> usize {
        let path = format!("/v1/calls/{leg}");
        self.vonage.requests("PUT", &path).await.len()
    }

    /// The answer request that Vonage makes for a call with this ticket.
    pub(crate) fn question(&self, visitor: &Visitor, call: &Permitted, leg: &str) -> Value {
        json!({
            "from_user": visitor.user,
            "to": "",
            "endpoint_type": "app",
            "uuid": leg,
            "conversation_uuid": format!("CON-{leg}"),
            "region_url": self.vonage.url(),
            "custom_data": { "ticket": call.ticket },
        })
    }
}

pub(crate) async fn number(connection: &mut PgConnection, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_one(connection)
        .await
        .unwrap()
}

/// A visitor with a session.
pub(crate) struct Visitor {
    session: String,
    pub(crate) user: String,
}

/// A call that a visitor may make.
pub(crate) struct Permitted {
    pub(crate) id: String,
    ticket: String,
}

/// One server.
pub(crate) struct Replica {
    service: Service,
    pub(crate) door: Door,
}

/// Where a server is asked, by any number of tasks.
#[derive(Clone)]
pub(crate) struct Door {
    url: String,
    http: reqwest::Client,
}

impl Replica {
    /// As the kernel kills a process that takes too much memory.
    pub(crate) fn kill(self) {
        self.service.kill();
    }

    pub(crate) async fn readiness(&self) -> StatusCode {
        self.readyz().await.0
    }

    /// Whether it is ready, and in which words.
    pub(crate) async fn readyz(&self) -> (StatusCode, String) {
        let url = format!("{}/readyz", self.door.url);
        let response = self.door.http.get(url).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    pub(crate) async fn visitor(&self) -> Visitor {
        let url = format!("{}/api/sessions", self.door.url);
        let opening = self.door.http.post(url).json(&json!({}));
        let opened = created(opening.send().await.unwrap()).await;
        Visitor {
            session: text(&opened, "session"),
            user: text(&opened, "user"),
        }
    }

    pub(crate) async fn call(&self, visitor: &Visitor) -> Permitted {
        let wish = json!({ "line": "support", "language": "en" });
        let call = created(self.post(visitor, "/api/calls", &wish).await).await;
        Permitted {
            id: text(&call, "call_id"),
            ticket: text(&call, "ticket"),
        }
    }

    pub(crate) async fn hang_up(&self, visitor: &Visitor, call: &Permitted) {
        let path = format!("/api/calls/{}/hangup", call.id);
        let response = self.post(visitor, &path, &json!({})).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
    }

    pub(crate) async fn watch(&self, visitor: &Visitor, call: &Permitted) -> CallStream {
        let url = format!("{}/api/calls/{}/events", self.door.url, call.id);
        let request = self.door.http.get(url).bearer_auth(&visitor.session);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        CallStream::new(response)
    }

    async fn post(&self, visitor: &Visitor, path: &str, body: &Value) -> Response {
        let request = self.door.http.post(format!("{}{path}", self.door.url));
        let request = request.bearer_auth(&visitor.session).json(body);
        request.send().await.unwrap()
    }

    /// Whether the caller is put through.
    pub(crate) async fn connects(&self, question: &Value) -> bool {
        let actions = self.answer(question).await;
        actions.iter().any(|action| action == "connect")
    }

    /// What is to be done with a call, action by action.
    pub(crate) async fn answer(&self, question: &Value) -> Vec<String> {
        let signed = Signed::new(question);
        let asked = self.door.webhook("/webhooks/answer", &signed).await;
        let response = asked.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let ncco: Value = response.json().await.unwrap();
        let actions = ncco.as_array().unwrap().iter();
        actions.map(|action| text(action, "action")).collect()
    }

    pub(crate) async fn event(&self, event: &Value) {
        let signed = Signed::new(event);
        let told = self.door.webhook("/webhooks/event", &signed).await;
        assert_eq!(told.unwrap().status(), StatusCode::OK);
    }
}

impl Door {
    /// A request of Vonage's, as often as the same one is sent.
    pub(crate) async fn webhook(
        &self,
        path: &str,
        signed: &Signed,
    ) -> Result<Response, reqwest::Error> {
        self.http
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .header("authorization", &signed.authorization)
            .body(signed.body.clone())
            .timeout(PATIENCE)
            .send()
            .await
    }
}

/// A body with Vonage's signature.
pub(crate) struct Signed {
    body: String,
    authorization: String,
}

impl Signed {
    pub(crate) fn new(body: &Value) -> Self {
        let body = body.to_string();
        let now = Clock::system().now().timestamp();
        let claims = webhook_signature::claims(body.as_bytes(), now, "", APPLICATION);
        let header = r#"{"alg":"HS256","typ":"JWT"}"#;
        let authorization = webhook_signature::bearer(header, &claims.to_string(), SECRET);
        Self {
            body,
            authorization,
        }
    }
}

/// What Vonage tells of a leg in the conversation of the leg that asked for an answer.
pub(crate) fn leg_event(leg: &str, of: &str, status: &str) -> Value {
    json!({
        "uuid": leg,
        "conversation_uuid": format!("CON-{of}"),
        "status": status,
        "direction": "outbound",
        "timestamp": "2026-11-22T10:00:00.000Z",
    })
}

async fn created(response: Response) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, StatusCode::CREATED, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}
