"""What a built library tells about itself, and the tables made of it. Used by
reference.py (docs/) and by the tables.py of every binding."""
import ctypes
import json


def load(path):
    """The library, with the functions that describe it declared."""
    lib = ctypes.CDLL(path)
    lib.mw_status_name.restype = lib.mw_status_text.restype = ctypes.c_char_p
    lib.mw_status_flags.restype = ctypes.c_uint32
    lib.mw_conf_describe.argtypes = [ctypes.c_int32, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)]
    lib.mw_msg_body.restype = ctypes.c_void_p
    lib.mw_msg_body.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]
    lib.mw_msg_unref.argtypes = [ctypes.c_void_p]
    return lib


def statuses(lib):
    """(code, name, text, flags) from the highest code down. Codes are small and
    stay; the library calls those it does not know MW_EUNKNOWN."""
    for code in range(15, -256, -1):
        name = lib.mw_status_name(code).decode()
        if name != "MW_EUNKNOWN":
            yield code, name, lib.mw_status_text(code).decode(), lib.mw_status_flags(code)


def options(lib, kind):
    """Every option of a kind (MW_CONF_*), as the library describes it."""
    index = 0
    while True:
        message, size = ctypes.c_void_p(), ctypes.c_size_t()
        if lib.mw_conf_describe(kind, index, ctypes.byref(message)) != 0:
            return
        yield json.loads(ctypes.string_at(lib.mw_msg_body(message, ctypes.byref(size)), size.value))
        lib.mw_msg_unref(message)
        index += 1


def settle(tables, write):
    """Writes the tables, {path: text}, or else names those whose file is stale."""
    stale = [path.name for path, text in tables.items() if not path.exists() or path.read_text() != text]
    if not write:
        return stale
    for path, text in tables.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return []
