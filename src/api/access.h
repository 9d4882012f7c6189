#pragma once

// Why: who a client is comes from its connection and its token; what he may do from a file that may
// change while the daemon runs (docs/api.md, Who may what).

#include <sys/stat.h>

#include "api/access_policy.h"
#include "base/log.h"
#include "http/peer.h"

namespace sheaf::api {

// Of the host, for who comes by the unix socket: may do everything, or see it.
struct HostGroups {
    uid_t owner = 0;
    std::optional<gid_t> masters = {};
    std::optional<gid_t> readers = {};
};

// Loop thread only.
class Access {
  public:
    // `path`: of the file; there may be none. The logger outlives it.
    Access(HostGroups host, std::string path, const Logger& logger)
        : host_(host), path_(std::move(path)), logger_(logger) {}

    // Reads the file; blocks. Fails with invalid, and keeps what was read before.
    Result<void> load();

    // Whether somebody of the unix socket may use this server at all.
    bool knows(const http::PeerCredentials& credentials) const;
    // Who it is: by the kernel, by a certificate, or by a token ("Bearer ..."), the first that
    // there is. None: nobody that is known.
    std::optional<User> user_of(const http::Peer& peer, std::string_view authorization);
    bool allows(const User& user, const Deed& deed);
    // Whether he may do everything everywhere, and so reach into the host.
    bool is_master(const User& user);

  private:
    std::optional<User> user_of(const http::PeerCredentials& credentials) const;
    const AccessPolicy& policy();

    HostGroups host_;
    std::string path_;
    const Logger& logger_;
    AccessPolicy policy_;
    struct stat seen_{};  // of the file, when it was read
};

// The host's groups "sheaf" and "sheaf-readonly", where there are any. Blocks.
HostGroups host_groups(uid_t owner);

}  // namespace sheaf::api
