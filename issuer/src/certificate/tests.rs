//! Certificates, made and taken apart.
