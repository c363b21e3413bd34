// A URL gives settings that work or an error without any of its values, nothing shows a password, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use redstart_tests::fuzz::url::check_input;

fuzz_target!(|input: &[u8]| check_input(input));
