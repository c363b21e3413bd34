// Any split of a stream decodes to the same replies and the same error as the whole, and nothing panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use redstart_tests::resp::split::check_input;

fuzz_target!(|input: &[u8]| check_input(input));
