#include "api/access_policy.h"

#include <algorithm>
#include <array>

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <nettle/sha2.h>

#include "api/names.h"
#include "base/bytes.h"
#include "base/hex.h"
#include "base/json.h"

namespace sheaf::api {

BOOST_DESCRIBE_ENUM(Role, viewer, editor, admin)

namespace {

// The file as it is written.
struct TokenEntry {
    std::string sha256;
    std::string user;
    std::vector<std::string> groups;
};
BOOST_DESCRIBE_STRUCT(TokenEntry, (), (sha256, user, groups))

struct BindingEntry {
    Role role = Role::viewer;
    std::vector<std::string> users;
    std::vector<std::string> groups;
    std::vector<std::string> namespaces;
};
BOOST_DESCRIBE_STRUCT(BindingEntry, (), (role, users, groups, namespaces))

struct PolicyFile {
    std::vector<TokenEntry> tokens;
    std::vector<BindingEntry> bindings;
};
BOOST_DESCRIBE_STRUCT(PolicyFile, (), (tokens, bindings))

std::string sha256_of(std::string_view text) {
    sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, text.size(), octets(as_bytes(text)));
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
    sha256_digest(&context, digest.size(), digest.data());
    return to_hex(std::as_bytes(std::span{digest}));
}

bool has(const std::vector<std::string>& list, std::string_view word) {
    return std::ranges::find(list, word) != list.end();
}

bool reads(std::string_view verb) {
    return verb == "get" || verb == "list" || verb == "watch";
}

Role needed_for(const Deed& deed) {
    const auto secret = deed.group.empty() && deed.resource == "secrets";
    const auto connects = deed.subresource == "console";
    if (reads(deed.verb) && !connects) return secret ? Role::editor : Role::viewer;
    if (!deed.namespaced || deed.subresource == "status") return Role::admin;
    return Role::editor;
}

}  // namespace

Result<AccessPolicy> AccessPolicy::parse(std::string_view text) {
    auto file = TRY(decode<PolicyFile>(text));
    AccessPolicy policy;
    for (std::size_t index = 0; index < file.tokens.size(); ++index) {
        auto& entry = file.tokens[index];
        const auto digest = from_hex(entry.sha256);
        if (!digest || digest->size() != SHA256_DIGEST_SIZE)
            return fail(Kind::invalid, "/tokens/{}/sha256: 64 hexadecimal digits are needed",
                        index);
        if (entry.user.empty())
            return fail(Kind::invalid, "/tokens/{}/user: a token is somebody's", index);
        policy.tokens_.push_back(
            {to_hex(*digest), {std::move(entry.user), std::move(entry.groups)}});
    }
    for (std::size_t index = 0; index < file.bindings.size(); ++index) {
        auto& entry = file.bindings[index];
        if (entry.users.empty() && entry.groups.empty())
            return fail(Kind::invalid, "/bindings/{}: names neither users nor groups", index);
        for (const auto& name : entry.namespaces)
            if (!is_label(name))
                return fail(Kind::invalid, "/bindings/{}/namespaces: {} cannot be one", index,
                            json::in_quotes(name));
        policy.bindings_.push_back({entry.role, std::move(entry.users), std::move(entry.groups),
                                    std::move(entry.namespaces)});
    }
    return policy;
}

// What is compared is a digest: how far it agrees says nothing about a token.
std::optional<User> AccessPolicy::owner_of(std::string_view token) const {
    const auto found = std::ranges::find(tokens_, sha256_of(token), &Token::sha256);
    if (found == tokens_.end()) return {};
    return found->owner;
}

bool AccessPolicy::is_of(const User& user, const Binding& binding) {
    return has(binding.users, user.name) || has(binding.groups, everybody_group) ||
           std::ranges::any_of(user.groups,
                               [&](const auto& group) { return has(binding.groups, group); });
}

std::optional<Role> AccessPolicy::role_of(const User& user, std::string_view name_space) const {
    if (has(user.groups, masters_group)) return Role::admin;
    std::optional<Role> highest;
    if (has(user.groups, readers_group)) highest = Role::viewer;
    for (const auto& binding : bindings_) {
        const auto here = binding.namespaces.empty() ||
                          (!name_space.empty() && has(binding.namespaces, name_space));
        if (here && is_of(user, binding)) highest = std::max(highest, std::optional{binding.role});
    }
    return highest;
}

bool AccessPolicy::allows(const User& user, const Deed& deed) const {
    // Who is let into a namespace may see the namespace itself.
    const auto own = deed.group.empty() && deed.resource == "namespaces" && deed.verb == "get";
    const auto role = role_of(user, own ? deed.name : deed.name_space);
    return role && *role >= needed_for(deed);
}

std::string refusal_of(const User& user, const Deed& deed) {
    auto resource = std::string{deed.resource};
    if (!deed.subresource.empty()) resource += "/" + std::string{deed.subresource};
    auto text = std::string{deed.resource};
    if (!deed.group.empty()) text += "." + std::string{deed.group};
    if (!deed.name.empty()) text += " " + json::in_quotes(deed.name);
    text += fmt::format(" is forbidden: User {} cannot {} resource {} in API group {}",
                        json::in_quotes(user.name), deed.verb, json::in_quotes(resource),
                        json::in_quotes(deed.group));
    if (deed.name_space.empty()) return text + " at the cluster scope";
    return text + " in the namespace " + json::in_quotes(deed.name_space);
}

}  // namespace sheaf::api
