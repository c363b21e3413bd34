//! A global allocator that counts, when asked to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

static COUNTING: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, with a count of allocations and reallocations and of the bytes that they ask for.
///
/// Counting is off while time is measured: atomic additions would be charged to whoever allocates most.
pub struct Counting;

fn note(bytes: usize) {
    if COUNTING.load(Relaxed) {
        COUNT.fetch_add(1, Relaxed);
        BYTES.fetch_add(bytes as u64, Relaxed);
    }
}

// SAFETY: every method hands its arguments unchanged to `System`, which upholds the contract of the trait;
// `note` neither allocates nor unwinds.
#[expect(unsafe_code, reason = "a global allocator cannot be written without it")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size.saturating_sub(layout.size()));
        // SAFETY: the block came from `System` through this allocator, with the layout that the caller states.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the block came from `System` through this allocator, with the layout that the caller states.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Allocations, and the bytes that they asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub allocations: u64,
    pub bytes: u64,
}

/// Runs `work` and returns its result with what the whole process allocated meanwhile.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Count) {
    let now = || Count { allocations: COUNT.load(Relaxed), bytes: BYTES.load(Relaxed) };
    let before = now();
    COUNTING.store(true, Relaxed);
    let result = work();
    COUNTING.store(false, Relaxed);
    let after = now();
    let allocations = after.allocations - before.allocations;
    (result, Count { allocations, bytes: after.bytes - before.bytes })
}
