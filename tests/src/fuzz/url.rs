//! A URL gives settings that work, or an error that repeats nothing of it but the name of an option; and
//! nothing shows a password.

use redstart_core::config::Config;
use redstart_core::error::ConfigError;

/// Reads the input as a URL, and as a password in one.
///
/// # Panics
/// It is not so.
pub fn check_input(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Config::from_url(text) {
        Ok(config) => assert_eq!(config.validate(), Ok(())),
        Err(error) => check_error(text, &error),
    }
    if !text.is_empty() {
        check_password(text);
    }
}

/// What an error names, if not an option that the URL has.
const PLACES: [&str; 11] = [
    "url",
    "scheme",
    "host",
    "port",
    "path",
    "service",
    "db",
    "username",
    "password",
    "query",
    // Refused for `backoff_base`.
    "backoff_cap",
];

fn check_error(url: &str, error: &ConfigError) {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let names: Vec<&str> = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
    if error.reason == "unknown option" {
        let at = names.iter().position(|name| *name == error.option).expect("the URL has it");
        assert!(at == 0 || !names[at - 1].ends_with("password"), "it may be the end of a password: {url:?}");
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        assert!(error.option.len() <= 32 && error.option.bytes().all(is_word), "{error}");
    } else if !PLACES.contains(&&*error.option) {
        assert!(names.contains(&&*error.option), "{error}: {url:?}");
        let is_option = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(error.option.bytes().all(is_option), "{error}");
    }
    assert_eq!(error.to_string(), format!("{}: {}", error.option, error.reason));
}

/// Any text is a password once it is encoded, and what is shown is the same as for any other.
fn check_password(password: &str) {
    let encoded: String = password.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let config = |password: &str| {
        let url = format!("redis-sentinel://ann:{password}@h/main?sentinel_password={password}");
        Config::from_url(&url).expect("a lawful URL")
    };
    let (config, other) = (config(&encoded), config("x"));
    assert_eq!(config == other, password == "x");
    assert_eq!(format!("{config:?} {config:#?}"), format!("{other:?} {other:#?}"));
}
