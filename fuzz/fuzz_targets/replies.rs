// Whatever comes is read as a type of its own or refused, an error of the server never is one, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use redstart_tests::fuzz::replies::check_input;

fuzz_target!(|input: &[u8]| check_input(input));
