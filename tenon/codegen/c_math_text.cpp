#include "tenon/codegen/c_math_text.h"

#include <algorithm>
#include <map>

#include "tenon/base/error.h"

namespace tenon::codegen {
namespace {

constexpr std::string_view kNameCharacters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

// Every tenon_... identifier of the text, in order.
std::vector<std::string> tenon_names(std::string_view text) {
  std::vector<std::string> names;
  std::size_t at = 0;
  while ((at = text.find("tenon_", at)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_not_of(kNameCharacters, at), text.size());
    names.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return names;
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

struct CDefinition {
  std::string_view name, text;
};

std::vector<CDefinition> definitions_of(std::string_view text) {
  std::vector<CDefinition> definitions;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\n\n"), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    while (one.starts_with('\n')) one.remove_prefix(1);
    while (one.ends_with('\n')) one.remove_suffix(1);
    if (one.empty()) continue;
    const std::size_t start = std::min(one.find("TENON_INLINE"), one.find("TENON_OUTLINE"));
    check(start != std::string_view::npos, "C text without a definition:\n{}", one);
    const std::string name = tenon_names(one.substr(start)).at(0);
    definitions.push_back({one.substr(one.find(name, start), name.size()), one});
  }
  return definitions;
}

void mark_used(const std::vector<CDefinition>& library,
               const std::map<std::string, std::size_t>& at, std::size_t index,
               std::vector<bool>& used) {
  if (used[index]) return;
  used[index] = true;
  for (const std::string& name : tenon_names(library[index].text))
    if (const auto found = at.find(name); found != at.end())
      mark_used(library, at, found->second, used);
}

}  // namespace

std::string_view c_element_type(DType dtype) {
  switch (dtype) {
    case DType::boolean:
    case DType::u8: return "uint8_t";
    case DType::i8: return "int8_t";
    case DType::i32: return "int32_t";
    case DType::u32: return "uint32_t";
    case DType::i64: return "int64_t";
    case DType::u64: return "uint64_t";
    case DType::f16:
    case DType::bf16: return "uint16_t";
    case DType::f32: return "float";
    case DType::f64: break;
  }
  return "double";
}

std::string spell_for(DType dtype, std::string_view text) {
  const std::string bits = fmt::format("{}", 8 * size_of(dtype));
  std::string spelled = replace_all(std::string(text), "$T", c_element_type(dtype));
  spelled = replace_all(std::move(spelled), "$U", fmt::format("uint{}_t", bits));
  spelled = replace_all(std::move(spelled), "$S", fmt::format("int{}_t", bits));
  spelled = replace_all(std::move(spelled), "$N", name(dtype));
  spelled = replace_all(std::move(spelled), "$B", bits);
  return replace_all(std::move(spelled), "$F", dtype == DType::f32 ? "F" : "");
}

std::string select_definitions(std::string_view text_of_all,
                               const std::vector<std::string>& names) {
  const std::vector<CDefinition> library = definitions_of(text_of_all);
  std::map<std::string, std::size_t> at;
  for (std::size_t i = 0; i < library.size(); ++i) {
    const bool added = at.emplace(std::string(library[i].name), i).second;
    check(added, "C text defines {} twice", library[i].name);
  }
  std::vector<bool> used(library.size());
  for (const std::string& name : names) {
    const auto found = at.find(name);
    check(found != at.end(), "no C text defines {}", name);
    mark_used(library, at, found->second, used);
  }
  std::string text;
  for (std::size_t i = 0; i < library.size(); ++i)
    if (used[i]) (text += library[i].text) += "\n\n";
  return text;
}

}  // namespace tenon::codegen
