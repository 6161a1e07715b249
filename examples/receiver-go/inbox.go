package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const remembered = 31 * 24 * time.Hour // a relay keeps an event for 30 days at most

// arrival is a line of arrived.jsonl. Body is left out once it is handled and the file is written anew.
type arrival struct {
	ID   string    `json:"id"`
	At   time.Time `json:"at"`
	Body []byte    `json:"body,omitempty"`
}

// result is a line of handled.jsonl: what was made of a request, and that it is done, in one.
type result struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Alerts  []alert   `json:"alerts"`
	Trouble string    `json:"trouble,omitempty"`
}

// Inbox is what has arrived, on the disk: two files that only grow while it runs. A line that was not written to its end
// counts as not written; each is on the disk before anybody is told of it.
type Inbox struct {
	mutex   sync.Mutex
	known   map[string]bool
	waiting []arrival
	news    chan struct{}
	arrived *os.File
	handled *os.File
	broken  error
}

// OpenInbox reads what an earlier run has left. What was handled and is older than any duplicate is forgotten.
func OpenInbox(arrivedPath, handledPath string, now time.Time) (*Inbox, error) {
	inbox := &Inbox{known: map[string]bool{}, news: make(chan struct{}, 1)}
	done := map[string]bool{}
	var err error
	inbox.handled, err = openLines(handledPath, func(line []byte) error {
		var one result
		if err := json.Unmarshal(line, &one); err != nil {
			return err
		}
		done[one.ID] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	var kept []arrival
	file, err := openLines(arrivedPath, func(line []byte) error {
		var one arrival
		if err := json.Unmarshal(line, &one); err != nil {
			return err
		}
		isDone := done[one.ID] || one.Body == nil
		if isDone && now.Sub(one.At) > remembered {
			return nil
		}
		if isDone {
			one.Body = nil
		} else {
			inbox.waiting = append(inbox.waiting, one)
		}
		inbox.known[one.ID] = true
		kept = append(kept, one)
		return nil
	})
	if err != nil {
		return nil, err
	}
	file.Close()
	if inbox.arrived, err = rewrite(arrivedPath, kept); err != nil {
		return nil, err
	}
	return inbox, nil
}

// Take keeps a request, and tells whether it is new. When it returns, a power cut does not matter any more.
func (inbox *Inbox) Take(id string, body []byte) (bool, error) {
	inbox.mutex.Lock()
	defer inbox.mutex.Unlock()
	if inbox.broken != nil {
		return false, inbox.broken
	}
	if inbox.known[id] {
		return false, nil
	}
	one := arrival{ID: id, At: time.Now().UTC(), Body: body}
	if err := appendLine(inbox.arrived, one); err != nil {
		// Nobody knows how much of it is on the disk: nothing may be written behind it before the file was read anew.
		inbox.broken = fmt.Errorf("start it again: %w", err)
		return false, err
	}
	inbox.known[id] = true
	inbox.waiting = append(inbox.waiting, one)
	select {
	case inbox.news <- struct{}{}:
	default:
	}
	return true, nil
}

// HandleAll handles what there is, oldest first, and what comes; it returns when a result cannot be written.
func (inbox *Inbox) HandleAll(handle func(id string, body []byte) ([]alert, error)) error {
	for {
		one, found := inbox.next()
		if !found {
			<-inbox.news
			continue
		}
		alerts, err := handle(one.ID, one.Body)
		done := result{ID: one.ID, At: time.Now().UTC(), Alerts: alerts}
		if err != nil {
			done.Trouble = err.Error() // it does not hold up what is behind it
		}
		if err := appendLine(inbox.handled, done); err != nil {
			return err
		}
		for _, one := range alerts {
			fmt.Printf("%s  %s  %s  %s\n", one.Severity, one.MessageID, one.Origin, one.Message)
		}
	}
}

func (inbox *Inbox) next() (arrival, bool) {
	inbox.mutex.Lock()
	defer inbox.mutex.Unlock()
	if len(inbox.waiting) == 0 {
		return arrival{}, false
	}
	one := inbox.waiting[0]
	inbox.waiting = inbox.waiting[1:]
	return one, true
}

func appendLine(file *os.File, what any) error {
	line, err := json.Marshal(what)
	if err != nil {
		return err
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		return err
	}
	return file.Sync()
}

// openLines calls read with each whole line, cuts off what a crash has left of a last one, and stands at the end.
func openLines(path string, read func(line []byte) error) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	end := bytes.LastIndexByte(text, '\n') + 1
	for number, line := range bytes.Split(text[:end], []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		if err := read(line); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, number+1, err)
		}
	}
	if err := file.Truncate(int64(end)); err != nil {
		return nil, err
	}
	if _, err := file.Seek(int64(end), io.SeekStart); err != nil {
		return nil, err
	}
	if err := file.Sync(); err != nil {
		return nil, err
	}
	return file, syncFolder(path)
}

// rewrite replaces a file by another that is whole before it takes the name.
func rewrite(path string, arrivals []arrival) (*os.File, error) {
	file, err := os.OpenFile(path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text) // ends each with a line's end
	for _, one := range arrivals {
		if err := encoder.Encode(one); err != nil {
			return nil, err
		}
	}
	if _, err := file.Write(text.Bytes()); err != nil {
		return nil, err
	}
	if err := file.Sync(); err != nil {
		return nil, err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, err
	}
	return file, syncFolder(path)
}

func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
