#include "api/access.h"

#include <grp.h>

#include <algorithm>

#include "api/small_file.h"

namespace sheaf::api {

namespace {

constexpr std::string_view bearer = "Bearer ";

std::optional<gid_t> group_of(const char* name) {
    const auto* found = ::getgrnam(name);
    if (!found) return {};
    return found->gr_gid;
}

bool is_in(const http::PeerCredentials& credentials, std::optional<gid_t> group) {
    return group && (credentials.group == *group ||
                     std::ranges::find(credentials.groups, *group) != credentials.groups.end());
}

bool is_same(const struct stat& one, const struct stat& other) {
    return one.st_ino == other.st_ino && one.st_size == other.st_size &&
           one.st_mtim.tv_sec == other.st_mtim.tv_sec &&
           one.st_mtim.tv_nsec == other.st_mtim.tv_nsec;
}

}  // namespace

HostGroups host_groups(uid_t owner) {
    return {owner, group_of("sheaf"), group_of("sheaf-readonly")};
}

Result<void> Access::load() {
    struct stat status{};
    if (::stat(path_.c_str(), &status) != 0) {
        if (errno != ENOENT) return fail_os(errno, "{}", path_);
        seen_ = {};
        policy_ = {};
        return {};
    }
    seen_ = status;
    if ((status.st_uid != 0 && status.st_uid != host_.owner) || (status.st_mode & 022) != 0)
        return fail(Kind::denied, "{}: others could write it; let its owner alone", path_);
    const auto text = TRY(read_small_file(path_));
    policy_ = TRY_WITHIN(AccessPolicy::parse(text), "{}", path_);
    return {};
}

const AccessPolicy& Access::policy() {
    struct stat status{};
    if (::stat(path_.c_str(), &status) != 0) status = {};
    if (is_same(status, seen_)) return policy_;
    if (const auto loaded = load(); loaded) {
        logger_.info("access is as written now", {{"path", path_}});
    } else {
        logger_.error("access stays as it was", {{"reason", loaded.error().text()}});
    }
    return policy_;
}

bool Access::knows(const http::PeerCredentials& credentials) const {
    return user_of(credentials).has_value();
}

std::optional<User> Access::user_of(const http::PeerCredentials& credentials) const {
    const auto name = fmt::format("uid:{}", credentials.user);
    if (credentials.user == 0 || credentials.user == host_.owner ||
        is_in(credentials, host_.masters))
        return User{name, {std::string{masters_group}}};
    if (is_in(credentials, host_.readers)) return User{name, {std::string{readers_group}}};
    return {};
}

std::optional<User> Access::user_of(const http::Peer& peer, std::string_view authorization) {
    if (peer.credentials) return user_of(*peer.credentials);
    if (peer.certified) return User{peer.certified->name, peer.certified->organizations};
    if (!authorization.starts_with(bearer)) return {};
    return policy().owner_of(authorization.substr(bearer.size()));
}

bool Access::allows(const User& user, const Deed& deed) {
    return policy().allows(user, deed);
}

bool Access::is_master(const User& user) {
    return policy().role_of(user, {}) == Role::admin;
}

}  // namespace sheaf::api
