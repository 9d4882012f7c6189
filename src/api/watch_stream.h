#pragma once

// Why: a watch is a list that goes on: every change after it, once and in order, as lines of JSON
// (docs/api.md, Watching).

#include "api/objects.h"
#include "api/table.h"
#include "http/exchange.h"
#include "io/loop.h"

namespace sheaf::api {

struct WatchOptions {
    Selector selector;
    std::optional<kv::Revision> after;  // none: everything that is there comes first
    bool bookmarks = false;
    io::Duration limit = std::chrono::hours{1};
    bool table = false;
    Include include = Include::metadata;  // of a table
};

// Loop thread only; for one exchange.
class WatchStream {
  public:
    static constexpr std::chrono::seconds between_bookmarks{60};

    WatchStream(io::Loop& loop, Objects& objects, Place place, WatchOptions options,
                http::Exchange& exchange)
        : loop_(loop),
          objects_(objects),
          place_(std::move(place)),
          options_(std::move(options)),
          exchange_(exchange) {}

    // Until the time is over, the client goes or the history is gone. Fails where the client cannot
    // be told any more.
    io::Task<void> run();

  private:
    io::Task<void> follow(kv::Watch& watch);
    io::Task<void> tell(std::vector<kv::Change> changes);
    io::Task<void> tell_bookmark(kv::Revision revision);
    io::Task<bool> tell_failure(Error error);
    Result<std::string> events_of(const std::vector<kv::Change>& changes) const;
    Result<std::string> event_of(const kv::Change& change) const;
    Result<std::string> event(std::string_view type, const std::string& object) const;
    Result<bool> selects(const std::optional<kv::Record>& record) const;

    io::Loop& loop_;
    Objects& objects_;
    Place place_;
    WatchOptions options_;
    http::Exchange& exchange_;
};

}  // namespace sheaf::api
