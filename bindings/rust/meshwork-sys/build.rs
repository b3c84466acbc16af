//! Finds libmeshwork by pkg-config, or builds it (feature `vendored`).
use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("DOCS_RS").is_some() {
        println!("cargo:rustc-env=MESHWORK_INCLUDE=");
        return; // documentation needs no library
    }
    #[cfg(feature = "vendored")]
    let include = vendored();
    #[cfg(not(feature = "vendored"))]
    let include = installed();
    println!("cargo:include={include}");
    println!("cargo:rustc-env=MESHWORK_INCLUDE={include}");
}

#[cfg(not(feature = "vendored"))]
fn installed() -> String {
    match pkg_config::Config::new().atleast_version("0.1.0").probe("meshwork") {
        Ok(library) => match library.include_paths.first() {
            Some(path) => path.display().to_string(),
            None => "/usr/include".to_string(),
        },
        Err(e) => panic!(
            "libmeshwork was not found: install it (make install) and let PKG_CONFIG_PATH name the folder of \
             meshwork.pc, or build it along with the feature `vendored`.\n{e}"
        ),
    }
}

#[cfg(feature = "vendored")]
fn vendored() -> String {
    let core = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("core");
    for part in ["CMakeLists.txt", "cmake", "include", "lib"] {
        println!("cargo:rerun-if-changed={}", core.join(part).display());
    }
    let out = cmake::Config::new(&core)
        .profile("Release")
        .define("MW_PROGRAM", "OFF")
        .define("MW_EXAMPLES", "OFF")
        .define("MW_TESTS", "OFF")
        .build_target("meshwork_static")
        .build();
    println!("cargo:rustc-link-search=native={}", out.join("build").display());
    println!("cargo:rustc-link-lib=static=meshwork");
    for needed in ["libssl", "libcrypto", "zlib", "libcjson", "libcares", "re2"] {
        pkg_config::probe_library(needed).unwrap_or_else(|e| panic!("the library needs {needed} to be built:\n{e}"));
    }
    println!("cargo:rustc-link-lib=dylib=stdc++");
    core.join("include").display().to_string()
}
