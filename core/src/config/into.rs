//! What `connect` takes.

use alloc::string::String;

use super::Config;
use crate::error::ConfigError;

/// Anything that tells a client how to connect: a [`Config`], or a [URL](Config::from_url).
pub trait IntoConfig {
    /// The settings, [valid](Config::validate).
    ///
    /// # Errors
    /// The option that cannot be used, and why.
    fn into_config(self) -> Result<Config, ConfigError>;
}

impl IntoConfig for Config {
    fn into_config(self) -> Result<Config, ConfigError> {
        self.validate()?;
        Ok(self)
    }
}

impl IntoConfig for &str {
    fn into_config(self) -> Result<Config, ConfigError> {
        Config::from_url(self)
    }
}

impl IntoConfig for String {
    fn into_config(self) -> Result<Config, ConfigError> {
        Config::from_url(&self)
    }
}

impl IntoConfig for &String {
    fn into_config(self) -> Result<Config, ConfigError> {
        Config::from_url(self)
    }
}
