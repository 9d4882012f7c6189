#pragma once

// Why: the network between the hosts of a simulated cluster: who reaches whom, in each direction by
// itself. What was sent while a way was cut arrives when it is whole again, as over TCP, unless one
// of the ends has given up.

#include <list>
#include <memory>
#include <set>

#include "io/byte_stream.h"
#include "io/sim_loop.h"
#include "io/waiters.h"

namespace sheaf::sim {

using Place = unsigned;  // a host

// Loop thread only; the loop outlives it. Streams end first.
class ClusterNetwork {
  public:
    explicit ClusterNetwork(io::SimLoop& loop) : loop_(loop) {}

    struct Ends {
        std::unique_ptr<io::ByteStream> here;
        std::unique_ptr<io::ByteStream> there;
    };
    // Waits until both directions are whole.
    io::Task<Ends> connect(Place from, Place to);

    void cut(Place from, Place to);
    void heal(Place from, Place to);
    void heal_all();
    bool is_cut(Place from, Place to) const { return cut_.contains({from, to}); }
    // Connections of this host say nothing any more, not even that they are closed: whoever is at
    // the other end has to find out by waiting.
    void silence(Place place);

  private:
    class Stream;
    void apply(Place from, Place to, bool held);

    io::SimLoop& loop_;
    std::set<std::pair<Place, Place>> cut_;
    std::list<Stream*> streams_;
    io::Waiters healed_;
};

}  // namespace sheaf::sim
