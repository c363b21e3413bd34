// A view that is taken keeps its promises, and the slots of a client that adopts it are as it says; nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use redstart_tests::fuzz::topology::check_input;

fuzz_target!(|input: &[u8]| check_input(input));
