// A redirect that is taken leads to a slot and a place, and reads the same when it is written again; nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use redstart_tests::fuzz::redirect::check_input;

fuzz_target!(|input: &[u8]| check_input(input));
