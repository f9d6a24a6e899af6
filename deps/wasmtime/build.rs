// SPDX-License-Identifier: Apache-2.0

// Copies the C headers, which the C API crate generates for the chosen features, to the directory named by
// HELIOS_WASMTIME_INCLUDE_OUT, so that CMake finds them at a fixed place.

use std::{env, fs, io, path::Path};

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-env-changed=HELIOS_WASMTIME_INCLUDE_OUT");
    let Some(out) = env::var_os("HELIOS_WASMTIME_INCLUDE_OUT") else { return Ok(()) };
    let headers = env::var_os("DEP_WASMTIME_C_API_INCLUDE").expect("the C API crate names its headers");
    copy_tree(Path::new(&headers), Path::new(&out))
}
