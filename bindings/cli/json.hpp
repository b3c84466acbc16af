// The little JSON the program needs: write a string, read one field of a flat
// object made by the library. Used by bindings/cli only; any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// "text" as a JSON string, quotes included. Bytes that are no UTF-8 must not
// come here.
std::string json_text(std::string_view text);

// The value of a top-level key: a string without its quotes and escapes,
// anything else as it is written. Nothing if absent or null.
std::optional<std::string> field(std::string_view object, std::string_view key);

// The first string of a JSON text, such as a list of them; "" if there is none.
std::string first_text(std::string_view json);

// The names of an object's members; the texts of a list.
std::vector<std::string> keys_of(std::string_view object);
std::vector<std::string> texts_of(std::string_view list);

// The items of a list as they are written.
std::vector<std::string> items_of(std::string_view list);

// The same JSON, a member or item a line.
std::string indented(std::string_view json);

std::string base64(std::string_view bytes);

// ,"text":... or ,"base64":... of a message, for a line of JSON.
std::string json_body(std::string_view body, bool text);

bool is_utf8(std::string_view text);

}  // namespace cli
