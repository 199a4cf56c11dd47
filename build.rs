//! Packs what the page needs into the binary: every file of `static/` and `locales/` and the browser SDK, each with
//! its digest and its compressed forms, so that nothing is compressed or hashed while a visitor waits.
//!
//! The SDK is under Vonage's own terms and so is fetched by npm and never committed. It is looked for in
//! `CLICK_TO_CALL_SDK_DIR`, then in `node_modules`; without it the build succeeds and the page shows its fallback.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo speaks to build scripts through the environment"
)]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256, Sha384};

const SDK_FILE: &str = "dist/vonageClientSDK.min.js";
const SDK_PATH: &str = "vendor/vonage-client-sdk.js";

struct Asset {
    path: String,
    bytes: Vec<u8>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut assets = Vec::new();
    collect(&root.join("static"), "", &mut assets)?;
    collect(&root.join("locales"), "locales/", &mut assets)?;
    let locales: Vec<PathBuf> = files(&root.join("locales"))?;
    let views: Vec<PathBuf> = files(&root.join("views"))?;

    println!("cargo::rerun-if-env-changed=CLICK_TO_CALL_SDK_DIR");
    let sdk_dir = env::var_os("CLICK_TO_CALL_SDK_DIR").map_or_else(
        || root.join("node_modules/@vonage/client-sdk"),
        PathBuf::from,
    );
    let sdk_file = sdk_dir.join(SDK_FILE);
    println!("cargo::rerun-if-changed={}", sdk_file.display());
    let mut integrity = String::from("None");
    match fs::read(&sdk_file) {
        Ok(bytes) => {
            integrity = format!(
                "Some(\"sha384-{}\")",
                STANDARD.encode(Sha384::digest(&bytes))
            );
            assets.push(Asset {
                path: SDK_PATH.to_owned(),
                bytes,
            });
        }
        Err(_) => println!(
            "cargo::warning=the browser SDK is not installed (npm ci): the page will only show its fallback"
        ),
    }
    for folder in ["static", "locales", "views"] {
        println!("cargo::rerun-if-changed={folder}");
    }

    assets.sort_by(|a, b| a.path.cmp(&b.path));
    let mut version = Sha256::new();
    let mut code = String::new();
    writeln!(
        code,
        "/// Every file, sorted by path.\npub(crate) static ASSETS: &[Asset] = &["
    )?;
    for (number, asset) in assets.iter().enumerate() {
        version.update(asset.path.as_bytes());
        version.update(Sha256::digest(&asset.bytes));
        write_asset(&mut code, &out, number, asset)?;
    }
    writeln!(code, "];")?;
    let version = hex(&version.finalize(), 8);
    writeln!(
        code,
        "/// Changes whenever any file does.\npub(crate) const VERSION: &str = \"{version}\";"
    )?;
    writeln!(
        code,
        "/// Subresource integrity of the SDK; `None` when the build had none."
    )?;
    writeln!(
        code,
        "pub(crate) const SDK_INTEGRITY: Option<&str> = {integrity};"
    )?;
    write_texts(&mut code, "LOCALES", "Words by language code.", &locales)?;
    write_texts(&mut code, "VIEWS", "Templates by file name.", &views)?;
    fs::write(out.join("assets.rs"), code)?;
    Ok(())
}

fn collect(folder: &Path, prefix: &str, assets: &mut Vec<Asset>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .ok_or("a file name that is not UTF-8")?;
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), assets)?;
        } else {
            assets.push(Asset {
                path: format!("{prefix}{name}"),
                bytes: fs::read(&path)?,
            });
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    Ok(paths)
}

fn write_asset(
    code: &mut String,
    out: &Path,
    number: usize,
    asset: &Asset,
) -> Result<(), Box<dyn Error>> {
    let mime = match asset.path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        other => {
            return Err(format!(
                "no media type for .{} of {}",
                other.unwrap_or(""),
                asset.path
            )
            .into());
        }
    };
    let etag = hex(&Sha256::digest(&asset.bytes), 16);
    let raw = out.join(format!("{number}.raw"));
    fs::write(&raw, &asset.bytes)?;
    let mut forms = String::new();
    for (name, compressed) in [("br", brotli(&asset.bytes)?), ("gz", gzip(&asset.bytes)?)] {
        // A picture does not get smaller, and then one form is enough.
        if compressed.len() < asset.bytes.len() {
            let path = out.join(format!("{number}.{name}"));
            fs::write(&path, compressed)?;
            write!(forms, "{name}: Some(include_bytes!({:?})), ", utf8(&path)?)?;
        } else {
            write!(forms, "{name}: None, ")?;
        }
    }
    writeln!(
        code,
        "    Asset {{ path: {:?}, mime: {mime:?}, etag: {etag:?}, raw: include_bytes!({:?}), {forms}}},",
        asset.path,
        utf8(&raw)?
    )?;
    Ok(())
}

/// A development build takes a second for the SDK this way and ten the other.
fn brotli(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let quality = if env::var("PROFILE")? == "release" {
        11
    } else {
        5
    };
    let params = brotli::enc::BrotliEncoderParams {
        quality,
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &params)?;
    Ok(compressed)
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn write_texts(
    code: &mut String,
    name: &str,
    doc: &str,
    paths: &[PathBuf],
) -> Result<(), Box<dyn Error>> {
    writeln!(
        code,
        "/// {doc}\npub(crate) static {name}: &[(&str, &str)] = &["
    )?;
    for path in paths.iter().filter(|path| path.is_file()) {
        let name = match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => path.file_stem(),
            _ => path.file_name(),
        };
        let name = name
            .and_then(|name| name.to_str())
            .ok_or("a file name that is not UTF-8")?;
        writeln!(code, "    ({name:?}, include_str!({:?})),", utf8(path)?)?;
    }
    writeln!(code, "];")?;
    Ok(())
}

fn utf8(path: &Path) -> Result<&str, Box<dyn Error>> {
    path.to_str()
        .ok_or_else(|| format!("{} is not UTF-8", path.display()).into())
}

/// The first bytes of a digest.
fn hex(digest: &[u8], bytes: usize) -> String {
    digest
        .iter()
        .take(bytes)
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
