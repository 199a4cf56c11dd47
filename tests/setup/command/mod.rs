//! The real program, run as a process against a simulated Vonage.

mod interrupted;
mod place;
mod proxy;
mod repeated;
mod steps;
mod tutorial;
mod world;
