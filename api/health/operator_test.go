package health

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestNoTokenIsNotOne(t *testing.T) {
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	req.Header.Set("Authorization", "Bearer ")
	if (Endpoints{}).isOperator(req) {
		t.Error("no token is taken for one")
	}
}
