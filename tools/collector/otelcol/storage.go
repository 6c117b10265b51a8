package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
)

// newStorageFactory returns file_storage whose queues lose nothing to a full disk.
//
// A queue that takes an item out notes that in the same step. When there is no room for the note, the queue of release
// 0.159 passes over the item: it is never sent.
func newStorageFactory() extension.Factory {
	files := filestorage.NewFactory()
	create := func(ctx context.Context, settings extension.Settings, config component.Config) (extension.Extension, error) {
		made, err := files.Create(ctx, settings, config)
		if err != nil {
			return nil, err
		}
		inner, ok := made.(storage.Extension)
		if !ok {
			return nil, fmt.Errorf("%s is no storage", settings.ID)
		}
		return &patientStorage{inner}, nil
	}
	return extension.NewFactory(files.Type(), files.CreateDefaultConfig, create, files.Stability())
}

type patientStorage struct{ storage.Extension }

func (s *patientStorage) GetClient(
	ctx context.Context, kind component.Kind, id component.ID, name string,
) (storage.Client, error) {
	inner, err := s.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, err
	}
	return &patientClient{Client: inner}, nil
}

// patientClient reads although nothing can be noted, and deletes later what it could not delete now.
type patientClient struct {
	storage.Client
	mutex sync.Mutex
	owed  map[string]struct{}
}

func (c *patientClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	err := c.apply(ctx, ops)
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	reads, deletes := pick(ops, storage.Get), pick(ops, storage.Delete)
	if len(reads) > 0 && len(deletes) == 0 {
		// What was to be noted stands in the next note as well. A crash before that sends the item twice.
		return c.Client.Batch(ctx, reads...)
	}
	if len(deletes) == len(ops) {
		for _, op := range deletes {
			c.owe(op.Key)
		}
	}
	return err
}

// apply does what is asked, and deletes with it what is owed where there is room for both.
func (c *patientClient) apply(ctx context.Context, ops []*storage.Operation) error {
	if len(c.owed) > 0 && len(pick(ops, storage.Get)) < len(ops) {
		all := make([]*storage.Operation, 0, len(c.owed)+len(ops))
		for key := range c.owed {
			all = append(all, storage.DeleteOperation(key))
		}
		if c.Client.Batch(ctx, append(all, ops...)...) == nil {
			c.owed = nil
			return nil
		}
	}
	return c.Client.Batch(ctx, ops...)
}

func (c *patientClient) owe(key string) {
	if c.owed == nil {
		c.owed = map[string]struct{}{}
	}
	c.owed[key] = struct{}{}
}

func pick(ops []*storage.Operation, kind storage.OpType) []*storage.Operation {
	var found []*storage.Operation
	for _, op := range ops {
		if op.Type == kind {
			found = append(found, op)
		}
	}
	return found
}
