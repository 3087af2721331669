//! Who is it? Documents from a real HTTPS server, records from a real DNS server, an account that really anchored.

mod anchored;
mod fetch;
mod library;
mod resolver;
mod server;
