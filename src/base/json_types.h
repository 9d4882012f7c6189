#pragma once

// Why: which C++ types stand for which JSON, in one place for decoding and encoding.

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/describe.hpp>

namespace sheaf::json {

template <class T, template <class...> class Template>
inline constexpr bool is_instance = false;
template <template <class...> class Template, class... Arguments>
inline constexpr bool is_instance<Template<Arguments...>, Template> = true;

template <class T>
concept Optional = is_instance<T, std::optional>;
template <class T>
concept List = is_instance<T, std::vector>;
template <class T>
concept Dictionary = is_instance<T, std::map> && std::same_as<typename T::key_type, std::string>;
template <class T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value;
template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

template <class T>
using Members = boost::describe::describe_members<T, boost::describe::mod_public |
                                                         boost::describe::mod_inherited>;
template <class T>
using Enumerators = boost::describe::describe_enumerators<T>;

}  // namespace sheaf::json
