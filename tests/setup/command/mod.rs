//! The real program, run as a process against a simulated Vonage.

mod answers;
mod application;
mod interrupted;
mod numbers;
mod output;
mod place;
mod proxy;
mod repeated;
mod steps;
mod tutorial;
mod users;
mod world;
