#pragma once

// Why: a watch outlives the member it is at: it goes on at another one where it was.

#include "store/etcd_members.h"

namespace sheaf::kv {

// The members outlive it.
class EtcdWatch final : public Watch {
  public:
    EtcdWatch(EtcdMembers& members, std::string prefix, Revision after)
        : members_(members), prefix_(std::move(prefix)), position_(after) {}

    io::Task<std::vector<Change>> next() override;
    Revision position() const override { return position_; }

  private:
    io::Task<std::vector<Change>> receive();
    io::Task<void> open();
    io::Task<std::string> line();
    io::Task<std::string> line_of_living();
    Result<std::vector<Change>> take(etcd::WatchAnswer answer);
    void let_go();

    EtcdMembers& members_;
    std::string prefix_;
    Revision position_;
    std::size_t member_ = 0;  // that it is at, where it has a connection
    std::unique_ptr<http::ClientConnection> connection_;
    std::string received_;         // a line that has not ended
    std::size_t looked_at_ = 0;    // bytes of it
    std::vector<Change> pending_;  // of a revision of which more may follow
};

}  // namespace sheaf::kv
