#pragma once

// Why: who may do what is decided in one place, from what was written down and what is asked, with
// neither files nor connections (docs/api.md, Who may what).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sheaf::api {

// Each may do what those before it may.
enum class Role { viewer, editor, admin };

struct User {
    std::string name;
    std::vector<std::string> groups;
};

// Who has all rights, and who may see everything but secrets, whatever is written down.
inline constexpr std::string_view masters_group = "system:masters";
inline constexpr std::string_view readers_group = "system:readers";
// Everybody who has said who he is.
inline constexpr std::string_view everybody_group = "system:authenticated";

// What is asked for, in the words of Kubernetes' RBAC.
struct Deed {
    std::string_view verb;      // "get", "list", "watch", "create", ...
    std::string_view group;     // of the API
    std::string_view resource;  // plural
    std::string_view subresource = {};
    std::string_view name_space = {};  // empty: of the cluster, or all of them
    std::string_view name = {};
    bool namespaced = true;  // the kind
};

class AccessPolicy {
  public:
    AccessPolicy() = default;
    // Fails with invalid; the text begins with the path of what is wrong.
    static Result<AccessPolicy> parse(std::string_view text);

    // Whose token this is; none where it is nobody's.
    std::optional<User> owner_of(std::string_view token) const;
    // The highest role of a user in a namespace, or, where that is empty, everywhere.
    std::optional<Role> role_of(const User& user, std::string_view name_space) const;
    bool allows(const User& user, const Deed& deed) const;

  private:
    struct Token {
        std::string sha256;
        User owner;
    };
    struct Binding {
        Role role = Role::viewer;
        std::vector<std::string> users;
        std::vector<std::string> groups;
        std::vector<std::string> namespaces;  // none: everywhere
    };
    static bool is_of(const User& user, const Binding& binding);

    std::vector<Token> tokens_;
    std::vector<Binding> bindings_;
};

// "volumes.sheaf.io \"a\" is forbidden: User ... cannot ...", as Kubernetes says it.
std::string refusal_of(const User& user, const Deed& deed);

}  // namespace sheaf::api
