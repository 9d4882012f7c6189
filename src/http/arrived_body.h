#pragma once

// Why: a body grows by what has come. Beast's own body of a string makes room for the length that a
// message announces, which may be any. For the sources of the two parsers alone.

#include <cstdint>
#include <string>

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>

namespace sheaf::http {

struct ArrivedBody {
    using value_type = std::string;

    class reader {  // NOLINT(readability-identifier-naming): as Beast names it
      public:
        template <bool is_request, class Fields>
        reader(boost::beast::http::header<is_request, Fields>&, value_type& body) : body_(body) {}
        void init(const boost::optional<std::uint64_t>&, boost::beast::error_code& error) {
            error = {};
        }
        template <class Buffers>
        std::size_t put(const Buffers& buffers, boost::beast::error_code& error) {
            error = {};
            const auto before = body_.size();
            for (const auto buffer : boost::beast::buffers_range_ref(buffers))
                body_.append(static_cast<const char*>(buffer.data()), buffer.size());
            return body_.size() - before;
        }
        void finish(boost::beast::error_code& error) { error = {}; }

      private:
        value_type& body_;
    };
};

}  // namespace sheaf::http
