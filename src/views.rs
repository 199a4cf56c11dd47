//! Pages from templates. What a template is given is ready to be shown; it decides nothing.

use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

use actix_web::{HttpRequest, web::Bytes};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use minijinja::{
    AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, context, value::Kwargs,
};

use crate::{
    assets,
    domain::{line::Line, phone_number::PhoneNumber},
    routes::{
        error::{ApiError, ProblemKind},
        pages,
    },
    words,
};

/// A page that is the same for everybody who reads its language, rendered and compressed once.
#[derive(Debug)]
pub struct FixedPage {
    /// As it is.
    pub html: Bytes,
    /// Compressed.
    pub gzip: Bytes,
    /// Changes whenever the page does.
    pub etag: String,
}

/// The pages that are the same for everybody, by language.
#[derive(Debug)]
pub struct FixedPages {
    index: BTreeMap<&'static str, FixedPage>,
    problems: FixedPage,
}

impl FixedPages {
    /// The support page in a language that there is.
    pub fn index(&self, language: &str) -> Option<&FixedPage> {
        self.index.get(language)
    }

    /// The list of problems and what to do about each. It is for those who run the service, and so in English only.
    pub fn problems(&self) -> &FixedPage {
        &self.problems
    }
}

/// The templates: built in, and overridden by files of the same name in the operator's folder.
#[derive(Debug)]
pub struct Views {
    environment: Environment<'static>,
    phone: Option<PhoneNumber>,
}

impl Views {
    /// Templates from this folder first, and the built-in ones for all that it lacks. Every page may show this number.
    pub fn new(folder: Option<PathBuf>, phone: Option<PhoneNumber>) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_loader(move |name| {
            if let Some(folder) = &folder
                && let Some(path) = inside(folder, name)
                && path.exists()
            {
                return std::fs::read_to_string(&path).map(Some).map_err(|error| {
                    minijinja::Error::new(
                        ErrorKind::InvalidOperation,
                        format!("cannot read {}", path.display()),
                    )
                    .with_source(error)
                });
            }
            let built_in = assets::VIEWS.iter().find(|(view, _)| *view == name);
            Ok(built_in.map(|(_, text)| (*text).to_owned()))
        });
        environment.add_function("asset", |path: String| -> Result<Value, minijinja::Error> {
            let known = assets::find(&path).map(|asset| assets::address(asset.path));
            known.map(Value::from_safe_string).ok_or_else(|| {
                minijinja::Error::new(
                    ErrorKind::InvalidOperation,
                    format!("there is no static file {path}"),
                )
            })
        });
        Self { environment, phone }
    }

    /// Renders the pages that are the same for everybody, so that a faulty template is found at the start.
    ///
    /// # Errors
    /// When a template is wrong, which only the operator's own can be.
    pub fn fixed_pages(&self, line: &Line) -> anyhow::Result<FixedPages> {
        let index = words::codes()
            .into_iter()
            .map(|language| Ok((language, FixedPage::new(self.index_page(language, line)?)?)));
        Ok(FixedPages {
            index: index.collect::<anyhow::Result<_>>()?,
            problems: FixedPage::new(self.problems_page()?)?,
        })
    }

    fn index_page(&self, language: &'static str, line: &Line) -> Result<String, minijinja::Error> {
        let name = &line.words_in(language).name;
        let page = context! { line => context! { id => &line.id, name } };
        self.render("index.html", language, page)
    }

    fn problems_page(&self) -> Result<String, minijinja::Error> {
        let problems: Vec<Value> = ProblemKind::ALL
            .iter()
            .map(|kind| {
                context! {
                    slug => kind.slug(),
                    status => kind.status().as_u16(),
                    title => kind.title(),
                    // Words and names by turns: what stands between backticks is to be typed.
                    advice => kind.advice().split('`').collect::<Vec<_>>(),
                }
            })
            .collect();
        self.render("problems.html", words::DEFAULT, context! { problems })
    }

    /// An error, for somebody who followed a link.
    ///
    /// # Errors
    /// When a template is wrong.
    pub fn error_page(
        &self,
        request: &HttpRequest,
        error: &ApiError,
        request_id: &str,
    ) -> Result<String, minijinja::Error> {
        let page = context! {
            status => error.kind().status().as_u16(),
            title => error.kind().title(),
            detail => error.detail().unwrap_or_default(),
            request_id,
        };
        self.render("error.html", pages::language(request), page)
    }

    fn render(
        &self,
        template: &str,
        language: &'static str,
        page: Value,
    ) -> Result<String, minijinja::Error> {
        let languages: Vec<Value> = words::codes()
            .into_iter()
            .map(|code| {
                context! {
                    code,
                    name => words::text(code, "language.name").unwrap_or(code),
                    href => format!("?lang={code}"),
                    current => code == language,
                }
            })
            .collect();
        let frame = context! {
            lang => language,
            dir => words::text(language, "language.dir").unwrap_or("ltr"),
            languages,
            phone => self.phone.as_ref().map(link),
            t => Value::from_function(move |key: String, values: Kwargs| translate(language, &key, &values)),
        };
        self.environment
            .get_template(template)?
            .render(context! { ..page, ..frame })
    }
}

impl FixedPage {
    fn new(html: String) -> anyhow::Result<Self> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(html.as_bytes())?;
        let sum = digest::digest(&digest::SHA256, html.as_bytes());
        let etag = URL_SAFE_NO_PAD.encode(sum).chars().take(22).collect();
        Ok(Self {
            gzip: encoder.finish()?.into(),
            html: html.into(),
            etag,
        })
    }
}

/// The text of a key, with its `{placeholders}` filled in.
fn translate(language: &str, key: &str, values: &Kwargs) -> Result<String, minijinja::Error> {
    let text = words::text(language, key).ok_or_else(|| {
        minijinja::Error::new(
            ErrorKind::InvalidOperation,
            format!("no locale has the words {key}"),
        )
    })?;
    let mut text = text.to_owned();
    for name in values.args() {
        let value: Value = values.get(name)?;
        text = text.replace(&format!("{{{name}}}"), &value.to_string());
    }
    Ok(text)
}

/// The path of a template below the operator's folder, unless its name leads out of it.
fn inside(folder: &std::path::Path, name: &str) -> Option<PathBuf> {
    let plain = name
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\\'));
    plain.then(|| folder.join(name))
}

fn link(number: &PhoneNumber) -> Value {
    let text = number.to_international();
    context! { href => format!("tel:{text}"), text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_template_wins_and_cannot_lead_out_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("problems.html"),
            "own {{ problems|length }} {{ t('language.name') }}",
        )
        .unwrap();
        let views = Views::new(Some(folder.path().to_path_buf()), None);
        let page = views.problems_page().unwrap();
        assert_eq!(page, format!("own {} English", ProblemKind::ALL.len()));
        assert!(inside(folder.path(), "../secret").is_none());
        assert!(inside(folder.path(), "/etc/passwd").is_none());
    }
}
