//! Loaded into systemd-udevd of a lab node: answers the question for an interface's driver with
//! `thunderbolt-net` where the lab says so, since a virtual cable would say `veth` and no `.link` file with
//! `Driver=thunderbolt-net` would ever match. Interfaces are known by hardware address, which stays when udev
//! renames them; the addresses come in the variable `RINGBOLT_LAB_THUNDERBOLT`.
//!
//! The only unsafe code of the lab: it takes the place of a C function. Everything else is passed on untouched.

#![no_std]

use core::ffi::{c_char, c_int, c_long, c_ulong, c_void};
use core::ptr;

unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
    fn getenv(name: *const c_char) -> *const c_char;
    fn strstr(text: *const c_char, part: *const c_char) -> *const c_char;
}

#[cfg(target_arch = "x86_64")]
const SYS_IOCTL: c_long = 16;
#[cfg(not(target_arch = "x86_64"))]
const SYS_IOCTL: c_long = 29;

const SIOCGIFHWADDR: c_ulong = 0x8927;
const SIOCETHTOOL: c_ulong = 0x8946;
const ETHTOOL_GDRVINFO: u32 = 3;

/// `struct ifreq`: the name, then a union of 24 bytes.
#[repr(C, align(8))]
struct Request {
    name: [u8; 16],
    data: [u8; 24],
}

/// Takes the place of `ioctl` in the C library.
///
/// # Safety
/// As for the real one: `argument` is what `request` asks for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_void) -> c_int {
    // SAFETY: handed on as it came.
    let result = unsafe { syscall(SYS_IOCTL, fd, request, argument) } as c_int;
    if result == 0 && request == SIOCETHTOOL && !argument.is_null() {
        // SAFETY: with this request the kernel itself has just read and written an `ifreq` there.
        unsafe { rename_driver(fd, argument.cast()) }
    }
    result
}

/// # Safety
/// `request` is an `ifreq` of an ethtool call that the kernel answered.
unsafe fn rename_driver(fd: c_int, request: *mut Request) {
    // SAFETY: the caller's promise; the union holds a pointer to a command that starts with its number, and
    // the driver's name is the 32 bytes after number and nothing else.
    unsafe {
        let command: *mut u8 = ptr::read((*request).data.as_ptr().cast());
        if ptr::read(command.cast::<u32>()) != ETHTOOL_GDRVINFO || !is_thunderbolt(fd, &(*request).name) {
            return;
        }
        let name = b"thunderbolt-net\0";
        ptr::copy_nonoverlapping(name.as_ptr(), command.add(4), name.len());
    }
}

fn is_thunderbolt(fd: c_int, name: &[u8; 16]) -> bool {
    let mut request = Request { name: *name, data: [0; 24] };
    let mut text = [0u8; 18];
    // SAFETY: a valid `ifreq`; both strings end with a zero byte.
    unsafe {
        if syscall(SYS_IOCTL, fd, SIOCGIFHWADDR, &raw mut request) != 0 {
            return false;
        }
        for (at, byte) in request.data[2..8].iter().enumerate() {
            text[3 * at] = b"0123456789abcdef"[usize::from(byte >> 4)];
            text[3 * at + 1] = b"0123456789abcdef"[usize::from(byte & 15)];
            text[3 * at + 2] = if at < 5 { b':' } else { 0 };
        }
        let known = getenv(c"RINGBOLT_LAB_THUNDERBOLT".as_ptr());
        !known.is_null() && !strstr(known, text.as_ptr().cast()).is_null()
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
