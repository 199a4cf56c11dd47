//! Certificates and keys as text.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The text form of what this label names, such as `CERTIFICATE`.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|start| text.get(start..text.len().min(start + 64)).unwrap())
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}
