use core::time::Duration;

use redstart_tokio::config::{Config, Credentials, Endpoint, Token, TokenOptions};
use redstart_tokio::error::CredentialError;

/// Whose password is in a file, which is read whenever a connection is made.
pub fn from_a_file(config: Config) -> Config {
    config.credential_provider(|_node: &Endpoint| {
        let password = std::fs::read_to_string("/run/secrets/redis");
        let password = password.map_err(|_| CredentialError::new("the file cannot be read"))?;
        Ok(Credentials::new("ann", password.trim_end()))
    })
}

/// Whose tokens are asked for before they expire.
pub fn by_tokens(config: Config, issue: impl Fn() -> String + Send + Sync + 'static) -> Config {
    let tokens = move || Ok(Token::new("ann", issue(), Duration::from_secs(3600)));
    config.token_provider(tokens, TokenOptions::new().ratio(0.8).lead(Duration::from_secs(300)))
}
