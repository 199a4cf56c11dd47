//! The rules: what a visitor, a call and an event are, who may call, and what an answered call does.
//!
//! Nothing here names a web framework, a database or an HTTP client. The outside is reached through
//! two ports: [`store::Store`] for what is kept and [`provider::Provider`] for Vonage's REST side.

pub mod answering;
pub mod call;
pub mod call_state;
pub mod calling;
pub mod clock;
pub mod closing;
pub mod event;
pub mod ids;
pub mod installation;
pub mod line;
pub mod live;
pub mod phone_number;
pub mod provider;
pub mod ready_pool;
pub mod sessions;
pub mod store;
pub mod ticket;
pub mod upkeep;
pub mod visitor;
